import type { Command } from 'commander'
import { addGroup, addLeaf } from './leaf.ts'

export function addHookCommands(program: Command): void {
  const hook = addGroup(program, 'hook', 'events for a server here, and hooks in git repositories')
  addLeaf(
    hook,
    {
      usage: 'listen <job>',
      summary: "forward a job's events to a server on this computer, those that came meanwhile included",
      options: [
        ['--forward-to <url>', 'an address, or a port of this computer', '3000'],
        ['--sign-with <name>', 'sign each request anew with the secret in this environment variable'],
        ['--timeout <seconds>', 'how long the server may take', '30'],
      ],
      examples: [
        [
          'baton hook listen review --forward-to http://localhost:3000/github',
          'takes a job or the end of its address',
        ],
        [
          'SECRET=… baton hook listen review --forward-to 3000 --sign-with SECRET',
          'for a server that checks signatures',
        ],
      ],
    },
    async () => (await import('./hook-listen.ts')).listenToHook,
  )
  const git = addGroup(hook, 'git', 'fire a job by pushes of a repository')
  const load = () => import('./hook-git.ts')
  const repo = ['--repo <folder>', 'the repository', '.'] as const
  addLeaf(
    git,
    {
      usage: 'install',
      summary: 'put a hook into a repository, beside one that is there',
      options: [
        repo,
        ['-j, --job <key>', 'the job that it fires'],
        ['--pre-push', 'when somebody pushes from this computer (the default)'],
        ['--post-receive', 'when pushes arrive here, on a server'],
        ['--branch <pattern...>', 'only these branches, such as "release/*" (default: all)'],
      ],
      examples: [
        [
          'baton hook git install --repo . --job review --branch main',
          'no token is written; a push never waits',
        ],
        ['baton hook git install --repo /srv/app.git --job deploy --post-receive', 'on the server'],
      ],
    },
    async () => (await load()).installGitHook,
  )
  addLeaf(
    git,
    {
      usage: 'uninstall',
      summary: 'take it out and put back what was there',
      options: [repo, ['-j, --job <key>', 'only for this job']],
      examples: [['baton hook git uninstall --repo .', 'the hook from before runs alone again']],
    },
    async () => (await load()).uninstallGitHook,
  )
  addLeaf(
    git,
    {
      usage: 'list',
      summary: 'what the hooks of a repository fire',
      options: [repo],
      examples: [['baton hook git list --repo .', 'jobs and branches']],
    },
    async () => (await load()).listGitHooks,
  )
  addLeaf(
    git,
    {
      usage: 'fire <hook> [remote] [url]',
      summary: 'what the installed hook calls, with what git tells it on stdin',
      examples: [['baton hook git fire post-receive < refs', 'by hand, to try it']],
    },
    async () => (await load()).fireGitHook,
  )
}
