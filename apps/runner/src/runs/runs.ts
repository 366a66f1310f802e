import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type {
  HeldDelivery,
  HelloAnswer,
  LeaseRef,
  PushedDelivery,
  RenewAnswer,
  SettleReport,
} from '@baton/protocol'
import type { Push } from '../connection/read-push.ts'
import { adoptSupervised } from '../processes/adopt-supervised.ts'
import type { Refusal } from './admit-delivery.ts'
import { createRun, type Run, type RunOrigin } from './run.ts'
import type { RunContext } from './run-context.ts'
import { emptyRunFolder, pruneReports } from './run-folder.ts'
import { cancelRequest, LEASE_LOST, type StopRequest } from './stop-request.ts'
import { untilAnswered } from './until-answered.ts'

/** A run as `baton status` shows it. */
export type LiveRun = {
  runId: string
  deliveryId: string
  agent: string
  jobId: string | null
  workspace: string | null
  phase: Run['phase']
  pid: number | null
}

export type Runs = {
  /** Takes up everything that an earlier runner left: before the first hello, which must name it all. */
  restore(): Promise<void>
  receive(push: Push): void
  greeted(answer: HelloAnswer): void
  renewed(answer: RenewAnswer): void
  /** What the relay must be told at a hello. */
  held(): HeldDelivery[]
  /** What must be renewed. */
  leases(): LeaseRef[]
  freeSlots(): number
  live(): LiveRun[]
  /** Ends every agent, waits until their ends are on the disk, and a moment longer until they are settled. */
  endAll(): Promise<void>
  /** Lets go of everything; agents run on under their supervisors. */
  release(): Promise<void>
}

const NO_SLOT: Refusal = {
  errorKind: 'internal',
  message: 'This machine runs as many agents at once as it may; it comes back when one ends.',
  final: false,
  retryAfterMs: 1_000,
}
const TOO_OLD: Refusal = {
  errorKind: 'too_old',
  message: 'The runner on this machine does not understand this delivery: update it.',
  final: true,
  retryAfterMs: 0,
}
const AGENTS_END_WITHIN_MS = 6_000
const SETTLED_WITHIN_MS = 2_000
const SHUTDOWN: StopRequest = { reason: 'shutdown', sentence: 'The runner was shut down and ended it.' }

/** Every delivery that this runner holds, by run id. */
export function createRuns(context: RunContext, slots: number, tell: () => void): Runs {
  const runs = new Map<string, Run>()
  const stopping = new AbortController()
  const lookers = new Set<() => void>()
  const { logger } = context

  function onChange() {
    tell()
    for (const look of lookers) look()
  }

  function add(delivery: PushedDelivery, origin: RunOrigin) {
    const run = createRun(context, delivery, origin, onChange)
    runs.set(delivery.runId, run)
    void run.ended.then(() => {
      if (run.phase !== 'closed' || runs.get(delivery.runId) !== run) return
      runs.delete(delivery.runId)
      onChange()
      pruneReports(context.runsFolder, new Set(runs.keys())).catch((error: unknown) =>
        logger.warn({ error }, 'Old reports could not be deleted.'),
      )
    })
  }

  const freeSlots = () => Math.max(0, slots - [...runs.values()].filter(holdsSlot).length)

  /** Waits until no run is like this, at most this long. */
  async function untilNone(is: (run: Run) => boolean, withinMs: number) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = () => {
      if (![...runs.values()].some(is)) resolve()
    }
    const timer = setTimeout(resolve, withinMs)
    lookers.add(look)
    look()
    await promise
    lookers.delete(look)
    clearTimeout(timer)
  }

  function take(delivery: PushedDelivery) {
    const known = runs.get(delivery.runId)
    if (known?.lease.fence === delivery.fence) return
    if (known) return void known.ended.then(() => take(delivery))
    for (const older of runs.values())
      if (older.delivery.deliveryId === delivery.deliveryId) older.requestStop(LEASE_LOST)
    if (stopping.signal.aborted) return
    if (freeSlots() === 0) return turnAway(delivery, NO_SLOT)
    add(delivery, { from: 'push' })
  }

  function turnAway({ deliveryId, runId, fence }: LeaseRef, refusal: Refusal) {
    logger.warn({ deliveryId, runId, refusal }, 'A delivery was refused.')
    untilAnswered(context.writes, stopping.signal, () =>
      context.calls.refuse({ deliveryId, runId, fence, ...refusal }),
    ).then(onChange, () => undefined)
  }

  function cancel(runId: string, reason: string) {
    runs.get(runId)?.requestStop(cancelRequest(reason))
  }

  async function restore() {
    await mkdir(context.runsFolder, { recursive: true, mode: 0o700 })
    const { damage } = context.journal
    if (damage)
      logger.error({ damage }, 'The end of the journal could not be read; what stood before it counts.')
    const left = readLeft(context)
    await Promise.all([...left.values()].map(takeUp))
    await endUnknown(new Set(left.keys()))
  }

  async function takeUp({ delivery, settle }: LeftRun) {
    const folder = join(context.runsFolder, delivery.runId)
    const found = settle ? null : await adoptSupervised(folder, delivery.runId)
    add(delivery, { from: 'journal', settle, left: found })
  }

  /** Folders of runs that the journal does not know: nothing is owed for them, and nothing of them may live on. */
  async function endUnknown(known: ReadonlySet<string>) {
    for (const name of await readdir(context.runsFolder)) {
      if (known.has(name)) continue
      const folder = join(context.runsFolder, name)
      const found = await adoptSupervised(folder, name)
      if (!('gone' in found)) {
        logger.warn({ runId: name }, 'A run that the journal does not know is ended.')
        await found.stop('superseded', 1_000)
        await found.exited
        found.release()
      }
      await emptyRunFolder(folder)
    }
    await pruneReports(context.runsFolder, known)
  }

  return {
    restore,
    receive(push) {
      for (const delivery of push.deliveries) take(delivery)
      for (const lease of push.unreadable) turnAway(lease, TOO_OLD)
      for (const { runId, reason } of push.cancels) cancel(runId, reason)
      for (const control of push.controls) runs.get(control.runId)?.control(control)
    },
    greeted({ verdicts }) {
      for (const { runId, verdict, ackedSeq, reason } of verdicts) {
        const run = runs.get(runId)
        run?.acked(ackedSeq)
        if (verdict === 'cancel') cancel(runId, reason)
        if (verdict === 'drop' || verdict === 'settled') run?.requestStop({ ...LEASE_LOST, sentence: reason })
      }
    },
    renewed({ deliveryId, ok, cancel: reason, controls }) {
      for (const control of controls) runs.get(control.runId)?.control(control)
      for (const run of runs.values()) {
        if (run.delivery.deliveryId !== deliveryId) continue
        if (reason !== null) cancel(run.delivery.runId, reason)
        else if (!ok) run.requestStop(LEASE_LOST)
      }
    },
    held: () =>
      [...runs.values()].flatMap(({ lease, phase }) =>
        phase === 'admitting' || phase === 'closed' ? [] : [{ ...lease, phase }],
      ),
    leases: () =>
      [...runs.values()].filter((run) => run.leased && run.phase !== 'closed').map((run) => run.lease),
    freeSlots,
    live: () =>
      [...runs.values()].map(({ delivery, phase, pid }) => ({
        runId: delivery.runId,
        deliveryId: delivery.deliveryId,
        agent: delivery.agent.key,
        jobId: delivery.job?.id ?? null,
        workspace: delivery.workspace.path,
        phase,
        pid,
      })),
    async endAll() {
      stopping.abort()
      for (const run of runs.values()) run.requestStop(SHUTDOWN)
      await untilNone(holdsSlot, AGENTS_END_WITHIN_MS)
      await untilNone(() => true, SETTLED_WITHIN_MS)
    },
    async release() {
      stopping.abort()
      const all = [...runs.values()]
      for (const run of all) run.release()
      await Promise.all(all.map((run) => run.ended))
    },
  }
}

type LeftRun = { delivery: PushedDelivery; settle: SettleReport | null }

function readLeft({ journal }: RunContext): Map<string, LeftRun> {
  const left = new Map<string, LeftRun>()
  for (const record of journal.records()) {
    if (record.kind === 'accepted')
      left.set(record.delivery.runId, { delivery: record.delivery, settle: null })
    if (record.kind !== 'finished') continue
    const run = left.get(record.settle.runId)
    if (run) run.settle = record.settle
  }
  return left
}

function holdsSlot({ phase }: Run): boolean {
  return phase === 'admitting' || phase === 'accepted' || phase === 'running'
}
