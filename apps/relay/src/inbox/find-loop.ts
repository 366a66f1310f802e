import { countCaused, type Db, findHopsOfRun, type TriggerTargetRow } from '@baton/db'
import { CAUSED_PER_MINUTE, type Cause, isId, MAX_HOPS } from '@baton/protocol'
import type { Ignored } from '../jobs/plan-event.ts'

/**
 * The cause that a sender names, with the hops that are true where we know its run. What it says can only make an event be
 * taken for a later one of its chain, so it needs no signature.
 */
export async function trueCause(
  db: Db,
  organizationId: TriggerTargetRow['organization_id'],
  said: Cause | null,
): Promise<Cause | null> {
  if (said === null || !isId('run', said.id)) return said
  const hops = await findHopsOfRun(db, organizationId, said.id)
  return { id: said.id, hops: Math.min(Math.max(said.hops, (hops ?? 0) + 1), 1_000) }
}

/** Why an event that a run caused must not fire its job: its chain is too long, or they come too fast. */
export async function findLoop(
  db: Db,
  target: Pick<TriggerTargetRow, 'job_id' | 'job_key'>,
  cause: Cause | null,
): Promise<Ignored | null> {
  if (cause === null || cause.hops === 0) return null
  if (cause.hops > MAX_HOPS) {
    return {
      reason: 'loop',
      message: `It is event ${cause.hops} of a chain in which runs cause events that start runs; such a chain ends after ${MAX_HOPS}.`,
    }
  }
  const caused = await countCaused(db, target.job_id, CAUSED_PER_MINUTE)
  if (caused < CAUSED_PER_MINUTE) return null
  return {
    reason: 'loop',
    message: `Runs caused ${CAUSED_PER_MINUTE} events for "${target.job_key}" within a minute, so this looks like a loop. It fires again when they come slower.`,
  }
}
