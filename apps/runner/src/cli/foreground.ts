import { fail } from './fail.ts'
import type { ForegroundOptions } from './read-foreground-words.ts'
import { createSession } from './session.ts'
import { createStyle } from './style.ts'
import { connectMachine } from './up.ts'

/** The runner without the tree of commands, which would stay in its memory: 3 MB. Returns the exit code; never throws. */
export async function runForeground({ takeover, ...options }: ForegroundOptions): Promise<number> {
  try {
    return await connectMachine(createSession(options), [], { foreground: true, takeover })
  } catch (error) {
    return fail(error, { json: false, style: createStyle(process.stderr) })
  }
}
