import {
  DELIVERY_TRANSITIONS,
  type DeliveryState,
  isFinishedDelivery,
  type LeaseRef,
  LIVE_DELIVERY_STATES,
  RUN_TRANSITIONS,
  type RunState,
} from '@baton/protocol'
import type { DeliveryRow, RunRow, Snapshot, World } from './world.ts'

const isLive = (state: DeliveryState) => (LIVE_DELIVERY_STATES as readonly string[]).includes(state)
const isOpen = (state: RunState) => state === 'starting' || state === 'running'

/** What must hold at every instant, and between two instants. Throws a sentence that names the rows. */
export function checkInvariants(world: World, before: Snapshot, after: Snapshot, moves = 1): void {
  for (const delivery of after.deliveries.values()) {
    checkDeliveryStep(before.deliveries.get(delivery.id), delivery, moves)
    checkRunsOf(delivery, after)
    checkRepeating(before.deliveries.get(delivery.id), delivery, before)
  }
  for (const run of after.runs.values()) checkRunStep(before.runs.get(run.id), run)
  checkFences(after)
  checkLimits(world, after)
  checkEvents(world, after)
}

/**
 * A write under this lease may change only what the lease is for. The end of a run also decides about its delivery while
 * that is in nobody's hands, whatever was leased since.
 */
export function checkFencing(lease: LeaseRef, before: Snapshot, after: Snapshot, isEnd: boolean): void {
  for (const [id, row] of after.deliveries) {
    const old = before.deliveries.get(id)
    const isInNobodysHands = isEnd && (old?.accepted_at === null || old?.state === 'pending')
    const isItsOwn = id === lease.deliveryId && (old?.fence === lease.fence || isInNobodysHands)
    if (!isItsOwn) assertSame(old, row, `fence ${lease.fence} of ${lease.deliveryId} changed delivery`)
  }
  for (const [id, row] of after.runs) {
    const old = before.runs.get(id)
    if (old && !(id === lease.runId && old.fence === lease.fence))
      assertSame(old, row, `fence ${lease.fence} of ${lease.runId} changed run`)
  }
}

/** `moves`: how many statements lie between the two. */
function checkDeliveryStep(before: DeliveryRow | undefined, after: DeliveryRow, moves: number) {
  if (!before) {
    ensure(['pending', 'leased', 'parked'].includes(after.state), `delivery begins as ${after.state}`, after)
    return
  }
  let reachable: DeliveryState[] = [before.state]
  for (let move = 0; move < moves; move++)
    reachable = reachable.flatMap((state) => [state, ...DELIVERY_TRANSITIONS[state]])
  ensure(reachable.includes(after.state), `delivery went ${before.state} → ${after.state}`, after)
  ensure(after.fence >= before.fence, 'a fence shrank', after)
  ensure(after.attempt >= before.attempt, 'an attempt was taken back', after)
  if (before.finish_key !== null && isFinishedDelivery(before.state))
    ensure(before.finish_key === after.finish_key, 'a second finish was accepted', after)
}

function checkRunStep(before: RunRow | undefined, after: RunRow) {
  const { state } = after
  if (!before) return ensure(['starting', 'failed'].includes(state), `run begins as ${state}`, after)
  const isAllowed = before.state === state || RUN_TRANSITIONS[before.state].includes(state)
  ensure(isAllowed, `run went ${before.state} → ${state}`, after)
  if (before.finish_key !== null) {
    ensure(before.finish_key === after.finish_key, 'a second finish of a run was accepted', after)
    ensure(before.state === state, 'a finished run changed', after)
  }
  ensure(after.last_seq >= before.last_seq, 'a transcript shrank', after)
}

/** What is known to have been running is leased again by itself only where its job says that this does no harm. */
function checkRepeating(before: DeliveryRow | undefined, after: DeliveryRow, { runs }: Snapshot) {
  if (!before || after.fence === before.fence || after.repeatable) return
  const started = [...runs.values()].filter((run) => run.delivery_id === after.id && run.started_at !== null)
  ensure(started.length === 0, 'leased again though it may not be repeated', { after, started })
}

function checkRunsOf(delivery: DeliveryRow, { runs }: Snapshot) {
  const current = runs.get(delivery.run_id)
  const all = [...runs.values()].filter((run) => run.delivery_id === delivery.id)
  for (const run of all) {
    ensure(run.events === run.last_seq && run.highest === run.last_seq, 'a transcript has a gap', run)
    if (run !== current) ensure(!isOpen(run.state), `an older run is still ${run.state}`, { delivery, run })
  }
  ensure(delivery.attempt <= delivery.max_attempts, 'more attempts than allowed', delivery)
  const hasOpenRun = current !== undefined && isOpen(current.state)
  const detail = { delivery, current }
  switch (delivery.state) {
    case 'running':
    case 'stalled':
      return ensure(current?.state === 'running', `${delivery.state}, but its run is not running`, detail)
    case 'leased':
      if (delivery.accepted_at === null)
        return ensure(!hasOpenRun, 'leased to nobody yet, but a run is open', detail)
      return ensure(current?.state === 'starting', 'leased and accepted, but its run is not starting', detail)
    case 'succeeded':
      ensure(
        current?.state === 'succeeded' && current.finish_key === delivery.finish_key,
        'succeeded without its run',
        detail,
      )
      break
    case 'failed':
    case 'dead':
      // A lost run may still tell how it ended; its delivery was given up before.
      ensure(current !== undefined && !isOpen(current.state), `${delivery.state} without its run`, detail)
      break
    default:
  }
  ensure(!hasOpenRun, `${delivery.state}, but its run is ${current?.state}`, detail)
  if (isFinishedDelivery(delivery.state))
    ensure(delivery.finished_at !== null, 'finished at no time', delivery)
}

function checkFences({ deliveries }: Snapshot) {
  const granted = [...deliveries.values()].map((row) => row.fence).filter((fence) => fence > 0)
  ensure(new Set(granted).size === granted.length, 'a fence was granted twice', granted)
}

function checkLimits({ agents }: World, { deliveries }: Snapshot) {
  const rows = [...deliveries.values()]
  const live = rows.filter((row) => isLive(row.state))
  for (const row of live) {
    const inLane = live.filter((other) => other.lane !== null && other.lane === row.lane)
    ensure(inLane.length <= 1, 'two live deliveries in one lane', inLane)
    const ofKey = live.filter(
      (other) => other.concurrency_key !== null && other.concurrency_key === row.concurrency_key,
    )
    ensure(
      ofKey.length <= (row.concurrency_limit ?? ofKey.length),
      'more at once than the concurrency key allows',
      ofKey,
    )
  }
  for (const agent of agents) {
    const ofAgent = live.filter((row) => row.agent_id === agent.id)
    ensure(ofAgent.length <= agent.maxConcurrent, 'an agent has more than it may', ofAgent)
  }
  const open = rows.filter((row) => row.overlap === 'skip' && !isFinishedDelivery(row.state))
  ensure(open.length <= 1, 'two open deliveries of a job that skips', open)
  const waiting = rows.filter(
    (row) =>
      row.overlap === 'coalesce' && row.fence === 0 && (row.state === 'pending' || row.state === 'parked'),
  )
  ensure(waiting.length <= 1, 'two waiting deliveries of a job that coalesces', waiting)
}

function checkEvents({ keys }: World, { events, deliveries }: Snapshot) {
  const stored = events.map(({ key }) => key)
  ensure(new Set(stored).size === stored.length, 'an event is there twice', stored)
  ensure(stored.length === keys.size, 'events are not those that were acknowledged', [
    stored,
    [...keys.keys()],
  ])
  const withDelivery = new Set([...deliveries.values()].map((row) => row.event_id))
  for (const event of events)
    ensure(
      withDelivery.has(event.id) !== (event.state === 'ignored'),
      'an event has neither a delivery nor a reason, or both',
      event,
    )
}

function assertSame(before: object | undefined, after: object, what: string) {
  if (JSON.stringify(before) !== JSON.stringify(after))
    throw new Error(`${what}: ${JSON.stringify(before)} became ${JSON.stringify(after)}`)
}

export function ensure(holds: boolean, otherwise: string, detail: unknown): void {
  if (!holds) throw new Error(`${otherwise}: ${JSON.stringify(detail)}`)
}
