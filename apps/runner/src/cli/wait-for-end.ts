import type { RunView } from '@baton/protocol'
import type { Run } from '@baton/sdk'

/** Waits until a run has ended, however it ended. */
export async function waitForEnd(run: Run, options: { signal?: AbortSignal } = {}): Promise<RunView> {
  const { RunFailedError } = await import('@baton/sdk')
  try {
    return await run.result(options)
  } catch (error) {
    if (error instanceof RunFailedError) return error.run
    throw error
  }
}
