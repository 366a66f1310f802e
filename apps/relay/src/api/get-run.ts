import { findRunView } from '@baton/db'
import { isFinishedDelivery, isFinishedRun, type RunView } from '@baton/protocol'
import { found } from './found.ts'
import type { Caller } from './get-job.ts'

/** Nothing more will be appended: the end is reported and all events before it are here, or there never was a run. */
export function isOver(run: RunView): boolean {
  if (run.state === null) return isFinishedDelivery(run.deliveryState)
  if (!isFinishedRun(run.state)) return false
  return run.transcript.expected === null || run.transcript.events >= run.transcript.expected
}

export async function getRun(ctx: Caller, id: string): Promise<RunView> {
  return found(await findRunView(ctx.connection.db, ctx.principal.organizationId, id), 'run', id)
}
