import {
  claimDispatches,
  type DispatchClaim,
  type DispatchReport,
  listMachinesWithDispatches,
  reportDispatch,
} from '@baton/db'
import { DISPATCH_CLAIM_MS, DISPATCH_TRY_MS, type MachineId } from '@baton/protocol'
import { createPollLoop, type PollLoop, type Service } from '@baton/service'
import type { RelayParts } from '../api/context.ts'
import { toMachineOrder } from './machine-orders.ts'
import { prepareDispatch } from './prepare-dispatch.ts'
import { tryDispatch } from './try-dispatch.ts'

const LOOK_EVERY_MS = 250
const AT_ONCE = 32
const ORDERS_AT_ONCE = 8
/** A stop lets tries that are under way end, this long. */
const STOP_MS = 3_000
const REPORT_AGAIN_MS = 500

export type Dispatcher = Service & Pick<PollLoop, 'wake'>

/**
 * Sends what is due, as much at once as one relay should. Any number of relays do this at the same time. A relay that is
 * killed between two steps leaves a claim that ends by itself: the next one finds out what had become of the try.
 */
export function createDispatcher(
  parts: Pick<
    RelayParts,
    'config' | 'connection' | 'keys' | 'sessions' | 'changes' | 'log' | 'senders' | 'outbound' | 'now'
  >,
): Dispatcher {
  const { db } = parts.connection
  const inHand = new Set<Promise<void>>()
  const stopping = new AbortController()
  const tryParts = {
    ...parts,
    publicUrl: () => parts.config.publicUrl,
    prepare: (claim: DispatchClaim) =>
      prepareDispatch({ db, sealKey: parts.keys.seal, publicUrl: parts.config.publicUrl }, claim),
  }

  async function look() {
    const room = AT_ONCE - inHand.size
    if (room > 0) {
      const claims = await claimDispatches(db, { limit: room, claimMs: DISPATCH_CLAIM_MS })
      for (const claim of claims) {
        const work = carryOut(claim).finally(() => {
          inHand.delete(work)
          loop.wake()
        })
        inHand.add(work)
      }
    }
    for (const machineId of await listMachinesWithDispatches(db, parts.sessions.machines())) {
      await giveOrders(machineId)
    }
  }

  /** What a machine's runner carries out goes through its session, and is reported by it. */
  async function giveOrders(machineId: MachineId) {
    const session = parts.sessions.get(machineId)
    if (!session) return
    const claims = await claimDispatches(db, { machineId, limit: ORDERS_AT_ONCE, claimMs: DISPATCH_CLAIM_MS })
    for (const claim of claims) {
      const prepared = claim.off === null ? await tryParts.prepare(claim) : null
      const order = toMachineOrder(claim, prepared)
      if ('claim' in order) session.giveOrders([order])
      else await record(claim, order)
    }
  }

  async function carryOut(claim: DispatchClaim) {
    const claimedAt = performance.now()
    const limits = {
      signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(DISPATCH_TRY_MS)]),
      isStillMine: () => performance.now() - claimedAt < DISPATCH_CLAIM_MS - 2 * DISPATCH_TRY_MS,
    }
    const report = await tryDispatch(tryParts, claim, limits).catch(
      (error: unknown): DispatchReport | null => {
        parts.log.warn(
          { error, dispatch: claim.id },
          'a dispatch could not be worked on; it is taken up again',
        )
        return null
      },
    )
    if (!report) return
    await record(claim, report).catch((error: unknown) =>
      parts.log.warn(
        { error, dispatch: claim.id },
        'what came of a dispatch could not be stored; it is found out again when its claim has ended',
      ),
    )
  }

  /** Until the database has it, or the claim has ended. */
  async function record(claim: DispatchClaim, report: DispatchReport) {
    const until = parts.now() + DISPATCH_CLAIM_MS
    for (;;) {
      try {
        const recorded = await reportDispatch(db, claim, report)
        tell(claim, report, recorded !== null)
        return
      } catch (error) {
        if (stopping.signal.aborted || parts.now() > until) throw error
        await new Promise((resolve) => setTimeout(resolve, REPORT_AGAIN_MS))
      }
    }
  }

  function tell(claim: DispatchClaim, report: DispatchReport, isRecorded: boolean) {
    if (claim.runId) parts.changes.tell(claim.organizationId, 'run', claim.runId)
    const said = {
      dispatch: claim.id,
      kind: claim.kind,
      job: claim.jobId,
      run: claim.runId,
      state: report.state,
      tries: claim.tries,
    }
    if (!isRecorded) parts.log.warn(said, 'a dispatch was taken over by another relay before its report')
    else if (report.state === 'sent') parts.log.info(said, 'a dispatch was sent')
    else parts.log.warn({ ...said, why: report.why }, 'a dispatch was not sent')
  }

  const loop = createPollLoop({
    everyMs: LOOK_EVERY_MS,
    jitter: 0.2,
    run: look,
    onError: (error) =>
      parts.log.warn({ error }, 'dispatches could not be looked for; the next look is soon'),
  })
  return {
    start: () => loop.start(),
    wake: () => loop.wake(),
    async stop() {
      // Before the loop: its pass may wait for a database that is away.
      const late = setTimeout(() => stopping.abort(), STOP_MS)
      await loop.stop()
      await Promise.allSettled(inHand)
      clearTimeout(late)
    },
  }
}
