import { type Command, CommanderError } from 'commander'
import { trackOutcome } from './leaf.ts'
import { buildProgram } from './program.ts'
import { createStyle } from './style.ts'

/** Carries out one command line and returns its exit code (`baton help exit-codes`). Never throws. */
export async function runCli(words: string[]): Promise<number> {
  const program = buildProgram()
  const outcome = trackOutcome(program)
  const json = words.includes('--json')
  process.stdout.on('error', leaveWhenReaderIsGone)
  try {
    await program.parseAsync(words.length === 0 ? ['--help'] : commonFlagsLast(words), { from: 'user' })
    return outcome.exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    // A group without a command has shown its help.
    if (error instanceof CommanderError && error.code === 'commander.help') return 2
    const { fail } = await import('./fail.ts')
    const group = error instanceof CommanderError && isOption(error) ? groupOf(program, words) : null
    if (group && !json) process.stderr.write(`${group.helpInformation()}\n`)
    return fail(group ? await needsCommand(group) : await toFailure(error, groupOf(program, words)), {
      json,
      style: createStyle(process.stderr),
    })
  }
}

/** `baton --json runs list` means `baton runs list --json`. */
function commonFlagsLast(words: string[]): string[] {
  const [first = '', ...rest] = words
  if (first === '--json') return [...commonFlagsLast(rest), first]
  if (first === '--profile' && rest.length > 1)
    return [...commonFlagsLast(rest.slice(1)), first, rest[0] ?? '']
  return words
}

const isOption = ({ code }: CommanderError) =>
  code === 'commander.unknownOption' || code === 'commander.optionMissingArgument'

/** The group of commands that the words name without saying which of them. */
function groupOf(program: Command, words: string[]): Command | null {
  let group = program
  for (const word of words) {
    const next = group.commands.find((one) => one.name() === word)
    if (!next) break
    group = next
  }
  return group !== program && group.commands.length > 0 ? group : null
}

async function needsCommand(group: Command): Promise<Error> {
  const { BatonError } = await import('@baton/protocol')
  const path = group.parent?.parent ? `${group.parent.name()} ${group.name()}` : group.name()
  return new BatonError('bad_input', `"baton ${path}" is a group of commands: say which: ${namesIn(group)}.`)
}

const namesIn = (group: Command): string => group.commands.map((one) => one.name()).join(', ')

async function toFailure(error: unknown, group: Command | null): Promise<unknown> {
  if (!(error instanceof CommanderError)) return error
  const { BatonError } = await import('@baton/protocol')
  const message = error.message.replace(/^error: /, '')
  const choices = error.code === 'commander.unknownCommand' && group ? `\nIt has: ${namesIn(group)}.` : ''
  return new BatonError('bad_input', message + choices, { cause: error })
}

/** `baton logs … | head` is no error. */
function leaveWhenReaderIsGone(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
}
