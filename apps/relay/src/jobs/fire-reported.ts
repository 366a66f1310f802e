import { findTriggerTarget, type TriggerTargetRow } from '@baton/db'
import {
  type FireAnswer,
  type MachineFire,
  machineFire,
  type OrganizationId,
  readCause,
  toId,
} from '@baton/protocol'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import type { RelayParts } from '../api/context.ts'
import { BACKLOG_REASON, isBacklogFull } from '../deliveries/backlog.ts'
import { isDataError } from '../inbox/each-alone.ts'
import { findLoop, trueCause } from '../inbox/find-loop.ts'
import { planEvent } from './plan-event.ts'

/** What a machine reports at once; what cannot be stored, now or ever, holds up none of the others. */
export function fireAllReported(
  parts: Pick<RelayParts, 'connection' | 'intake' | 'log'>,
  organizationId: OrganizationId,
  fires: readonly unknown[],
  mayFire: (target: TriggerTargetRow) => boolean,
): Promise<FireAnswer[]> {
  return Promise.all(
    fires.map(async (one): Promise<FireAnswer> => {
      const given = (one as { key?: unknown } | null)?.key
      const key = typeof given === 'string' ? given : ''
      const parsed = machineFire.safeParse(one)
      if (!parsed.success) return refused(key, z.prettifyError(parsed.error).replaceAll('\n', ' '))
      try {
        return await fireReported(parts, organizationId, parsed.data, mayFire)
      } catch (error) {
        if (isDataError(error)) return refused(key, 'The database cannot store what it says.')
        if (!isBacklogFull(error)) parts.log.warn({ error, key }, 'a report of a machine was not stored')
        const message = isBacklogFull(error) ? BACKLOG_REASON : 'It could not be stored right now.'
        return { key, result: 'later', eventId: null, message }
      }
    }),
  )
}

const refused = (key: string, message: string): FireAnswer => ({
  key,
  result: 'refused',
  eventId: null,
  message,
})

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
