import type { Command } from 'commander'
import { addLeaf } from './leaf.ts'

export function addCompletionCommand(program: Command): void {
  addLeaf(
    program,
    {
      usage: 'completion <shell> [words...]',
      summary:
        'what makes the Tab key complete commands, options, agents, jobs, machines and runs in bash, zsh or fish',
      examples: [
        ['baton completion bash >> ~/.bashrc', 'from the next shell on'],
        ['baton completion zsh > ~/.zsh/completions/_baton', 'in a folder of the fpath of zsh'],
        ['baton completion fish > ~/.config/fish/completions/baton.fish', 'and for fish'],
      ],
    },
    async () => {
      const { complete } = await import('./completion.ts')
      return (session, words) => complete(session, words, program)
    },
  )
}
