import { BatonError, type RunView, STATUS_EXIT_CODES } from '@baton/protocol'
import type { Run } from '@baton/sdk'
import { readSeconds } from './read-seconds.ts'
import { sayWhyItWaits } from './say-why-it-waits.ts'
import type { Session } from './session.ts'
import { resultLine } from './show-run.ts'
import { shortId } from './text.ts'
import { waitForEnd } from './wait-for-end.ts'

/** The longest that a timer can be set to, 24 days. */
const LONGEST_MS = 2 ** 31 - 1

/** `baton runs wait`: ends when the run has ended, and as it ended. The run goes on when this stops waiting. */
export async function waitRun(
  session: Session,
  [id = '']: string[],
  options: { timeout?: string },
): Promise<number> {
  const waitMs = readSeconds(options.timeout)
  if (waitMs !== null && waitMs > LONGEST_MS)
    throw new BatonError(
      'bad_input',
      `--timeout ${options.timeout}: give at most ${Math.floor(LONGEST_MS / 1000)} seconds.`,
    )
  const baton = await session.baton()
  const run = baton.runs.open((await baton.runs.get(id)).id)
  using _ = sayWhyItWaits(session, run)
  const ended = await waitAtMost(run, waitMs)
  session.print({ ...ended, url: run.url }, () => resultLine(ended, session.out))
  return STATUS_EXIT_CODES[ended.status]
}

async function waitAtMost(run: Run, waitMs: number | null): Promise<RunView> {
  if (waitMs === null) return await waitForEnd(run)
  const signal = AbortSignal.timeout(waitMs)
  try {
    return await waitForEnd(run, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
    const { sentence } = await run.get()
    throw new BatonError(
      'timeout',
      `${run.id} has not ended within ${waitMs / 1000} s and goes on. ${sentence} See "baton why ${shortId(run.id)}".`,
      { cause: error },
    )
  }
}
