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
    await program.parseAsync(words.length === 0 ? ['--help'] : words, { from: 'user' })
    return outcome.exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const { fail } = await import('./fail.ts')
    return fail(await toFailure(error), { json, style: createStyle(process.stderr) })
  }
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
