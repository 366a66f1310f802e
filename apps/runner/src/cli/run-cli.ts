import { CommanderError } from 'commander'
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
    return fail(await toFailure(error), { json, style: createStyle(process.stderr) })
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

async function toFailure(error: unknown): Promise<unknown> {
  if (!(error instanceof CommanderError)) return error
  const { BatonError } = await import('@baton/protocol')
  return new BatonError('bad_input', error.message.replace(/^error: /, ''), { cause: error })
}

/** `baton logs … | head` is no error. */
function leaveWhenReaderIsGone(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
}
