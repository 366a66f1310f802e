import { isFinishedDelivery } from '@baton/protocol'
import { RunFailedError } from '@baton/sdk'
import { readProfile } from '../config/profile.ts'
import { stopRunnerProcess } from './runner-process.ts'
import type { Session } from './session.ts'

const STOP_WITHIN_MS = 20_000

/** `baton down`: stops this machine's runner. Its agents go on, and the next runner takes them over, unless --end-runs. */
export async function disconnectMachine(
  session: Session,
  _args: string[],
  { endRuns }: { endRuns?: boolean },
): Promise<void> {
  const paths = await session.paths()
  const ended = endRuns ? await endLiveRuns(session) : []
  const pid = await stopRunnerProcess(paths, STOP_WITHIN_MS)
  session.print({ stopped: pid !== null, pid, endedRuns: ended }, () => {
    const runs =
      ended.length > 0 ? ` ${ended.length} ${ended.length === 1 ? 'run was' : 'runs were'} ended.` : ''
    return pid === null ? `No runner was running.${runs}` : `The runner is stopped.${runs}`
  })
}

async function endLiveRuns(session: Session): Promise<string[]> {
  const profile = await readProfile(await session.paths())
  if (!profile.ok) return []
  const baton = await session.baton()
  const { running } = await baton.overview()
  const here = running.filter(
    (run) =>
      run.machine.id === profile.value.machineId &&
      !isFinishedDelivery(run.deliveryState) &&
      run.state !== null,
  )
  await Promise.all(
    here.map(async ({ id }) => {
      const run = baton.runs.open(id)
      await run.cancel('the machine was stopped with --end-runs')
      await run.result().catch((error: unknown) => {
        if (!(error instanceof RunFailedError)) throw error
      })
    }),
  )
  return here.map((run) => run.id)
}
