import { findTriggerTarget, type TriggerTargetRow } from '@baton/db'
import { type FireAnswer, type MachineFire, type OrganizationId, readCause, toId } from '@baton/protocol'
import { uuidv7 } from 'uuidv7'
import type { RelayParts } from '../api/context.ts'
import { findLoop, trueCause } from '../inbox/find-loop.ts'
import { planEvent } from './plan-event.ts'

/**
 * Stores what a machine, or a person's hook, reports as the event of a trigger. The same key again is the same event.
 * `mayFire` says whether who reports it may.
 */
export async function fireReported(
  parts: Pick<RelayParts, 'connection' | 'intake'>,
  organizationId: OrganizationId,
  fire: MachineFire,
  mayFire: (target: TriggerTargetRow) => boolean = () => true,
): Promise<FireAnswer> {
  const { db } = parts.connection
  const target = await findTriggerTarget(db, organizationId, fire.triggerId)
  if (!target || target.kind !== fire.kind || !mayFire(target)) {
    const message = 'This trigger is no more, or it belongs to another machine.'
    return { key: fire.key, result: 'gone', eventId: null, message }
  }
  const cause = await trueCause(db, organizationId, readCause(fire.cause ?? undefined))
  const answer = await parts.intake.accept(
    planEvent(target, {
      id: toId('event', uuidv7()),
      source: fire.kind,
      payload: fire.payload,
      body: Buffer.from(JSON.stringify(fire.payload)),
      contentType: 'application/json',
      headers: {},
      dedupKey: `fire:${fire.key}`,
      cause,
      ignored: await findLoop(db, target, cause),
    }),
  )
  return { key: fire.key, result: 'stored', eventId: answer.eventId, message: null }
}
