import { insertControl } from '@baton/db'
import {
  type AnsweredVia,
  BatonError,
  type ControlId,
  type OrganizationId,
  type RunView,
  toId,
  type UserId,
} from '@baton/protocol'
import { uuidv7 } from 'uuidv7'
import type { ApiContext } from '../api/context.ts'
import { assertSame } from '../jobs/fired-before.ts'
import { answeredVia } from './answered-via.ts'
import { assertCapable } from './assert-capable.ts'

type Caller = ApiContext & { principal: { kind: 'user'; organizationId: OrganizationId; userId: UserId } }
export type Told = { id: ControlId; kind: 'steer' | 'interrupt'; via: AnsweredVia }

/** Stores what a person tells a run that goes on, and has its machine told. */
export async function tellRun(
  ctx: Caller,
  run: RunView,
  what: { kind: 'steer' | 'interrupt'; text: string | null; idempotencyKey: string | null },
): Promise<Told> {
  const { organizationId, userId } = ctx.principal
  if (run.ladder.finishedAt === null) assertCapable(run.agent, what.kind, run.id)
  const via = answeredVia(ctx)
  const control = { ...what, id: toId('control', uuidv7()), by: userId, via }
  const stored = await insertControl(ctx.connection.db, organizationId, run.id, control)
  if (!stored) {
    throw new BatonError(
      'conflict',
      `Only a run that an agent works on can be told something; this one is ${run.status}. ${run.sentence}`,
    )
  }
  assertSame(stored.text ?? '', what.text ?? '')
  ctx.hints.send('control', stored.machineId)
  ctx.changes.tell(organizationId, 'run', run.id)
  return { id: stored.id, kind: what.kind, via }
}
