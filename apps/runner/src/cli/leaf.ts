import { type Command, Option } from 'commander'
import { type CommonOptions, createSession, type Session } from './session.ts'

/** What a command is for people: shown by its help, and nothing else is. */
export type LeafSpec = {
  /** Its name and arguments, as commander writes them: `show <id>`. */
  usage: string
  summary: string
  options?: readonly (readonly [flags: string, description: string, fallback?: string] | Option)[]
  /** Complete command lines, each with what it does. */
  examples: readonly (readonly [line: string, what: string])[]
}

/** Resolves with the exit code; anything but a number means 0. */
export type Action<O> = (session: Session, args: string[], options: O & CommonOptions) => Promise<unknown>

/** Set by the command that ran; read once by `runCli`. */
export type Outcome = { exitCode: number }

/** Adds one command. Its code is loaded only when it is called. */
export function addLeaf<O>(parent: Command, spec: LeafSpec, load: () => Promise<Action<O>>): Command {
  const command = parent.command(spec.usage).description(spec.summary)
  for (const option of spec.options ?? []) {
    if (option instanceof Option) command.addOption(option)
    else command.option(...(option as [string, string]))
  }
  command.option('--json', 'print data only, as JSON')
  command.option(
    '--profile <name>',
    'another connection of this machine (default: "default", or BATON_PROFILE)',
  )
  command.addHelpText('after', () => examplesText(spec.examples))
  command.action(async (...given: unknown[]) => {
    const options = command.opts() as O & CommonOptions
    const session = createSession(options)
    try {
      const args = given.slice(0, -2).flat() as string[]
      const action = await load()
      const outcome = outcomeOf(command)
      const code = await action(session, args, options)
      outcome.exitCode = typeof code === 'number' ? code : 0
    } finally {
      await session.close()
    }
  })
  return command
}

export function addGroup(parent: Command, name: string, summary: string): Command {
  return parent.command(name).description(summary).helpCommand(false)
}

const outcomes = new WeakMap<Command, Outcome>()

/** Where the commands of this tree leave their exit code. */
export function trackOutcome(root: Command): Outcome {
  const outcome = { exitCode: 0 }
  outcomes.set(root, outcome)
  return outcome
}

function outcomeOf(command: Command): Outcome {
  let at = command
  while (at.parent) at = at.parent
  return outcomes.get(at) ?? trackOutcome(at)
}

function examplesText(examples: LeafSpec['examples']): string {
  const lines = examples.map(([line, what]) => `  $ ${line}\n      ${what}`)
  return `\nExamples:\n${lines.join('\n')}`
}
