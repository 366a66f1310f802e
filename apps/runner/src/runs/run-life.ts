import { join } from 'node:path'
import type { LeaseRef, PushedDelivery } from '@baton/protocol'
import type { Logger } from '@baton/service'
import type { SecretMask } from '../agents/profile/secret-mask.ts'
import type { SupervisedRun } from '../processes/supervised-run.ts'
import type { RunContext } from './run-context.ts'
import { createRunControls, type RunControls } from './run-controls.ts'
import { createRunRecord, type RunRecord } from './run-record.ts'
import { mayReplace, STOP_GRACE_MS, type StopRequest } from './stop-request.ts'
import { untilAnswered } from './until-answered.ts'

/**
 * admitting: pushed, being checked; nothing is promised yet. accepted: on this disk, the agent not started. running: the
 * agent may run. finished: its end is on this disk and owed to the relay. closed: nothing is owed any more.
 */
export type RunPhase = 'admitting' | 'accepted' | 'running' | 'finished' | 'closed'

/** What the phases of one run share. Each phase is a file: begin-run, follow-run, end-run. */
export type RunLife = {
  readonly context: RunContext
  readonly delivery: PushedDelivery
  readonly lease: LeaseRef
  readonly folder: string
  readonly logger: Logger
  readonly record: RunRecord
  /** What people told this run. */
  readonly controls: RunControls
  /** Aborts when the run is closed or let go of. */
  readonly signal: AbortSignal
  readonly phase: RunPhase
  enter(next: RunPhase): void
  /** The relay knows that this runner has it: its lease is to be renewed. */
  leased: boolean
  /** The relay has answered to the report of the start, if one was made. */
  startReported: Promise<void>
  readonly stop: StopRequest | null
  /** Aborts when a stop is asked for: what is still being made for the run is not needed. */
  readonly stopping: AbortSignal
  /** Ends the agent and then the run, with this reason unless another came first. */
  requestStop(request: StopRequest): void
  readonly supervised: SupervisedRun | null
  /** The agent under its supervisor, or null once it has ended. A stop that was asked for before is passed on. */
  watchOver(run: SupervisedRun | null): void
  /** Takes the values of the agent's secrets out of what is told; null: it has none. */
  mask: SecretMask | null
  /** Makes a call until it is answered. */
  answered<T>(call: () => Promise<T>): Promise<T>
  release(): void
}

export function createRunLife(
  context: RunContext,
  delivery: PushedDelivery,
  initial: { phase: RunPhase; leased: boolean; supervised: SupervisedRun | null },
  onChange: () => void,
): RunLife {
  const lease: LeaseRef = { deliveryId: delivery.deliveryId, runId: delivery.runId, fence: delivery.fence }
  const folder = join(context.runsFolder, delivery.runId)
  const logger = context.logger.child({ runId: delivery.runId, deliveryId: delivery.deliveryId })
  const released = new AbortController()
  const stopper = new AbortController()
  const { signal } = released
  let { phase, supervised } = initial
  let stop: StopRequest | null = null

  const answered = <T>(call: () => Promise<T>) => untilAnswered(context.writes, signal, call)

  function tellSupervisor(run: SupervisedRun, request: StopRequest) {
    run.stop(request.reason, STOP_GRACE_MS[request.reason]).catch((error: unknown) => {
      logger.error({ error }, 'The supervisor could not be told to end its agent.')
    })
  }

  return {
    context,
    delivery,
    lease,
    folder,
    logger,
    record: createRunRecord(context, delivery, lease, folder, signal),
    controls: createRunControls(lease, (answer) => answered(() => context.calls.acknowledge(answer)), logger),
    signal,
    get phase() {
      return phase
    },
    enter(next) {
      phase = next
      if (next === 'finished' || next === 'closed') context.turns.leave(lease.runId)
      onChange()
    },
    leased: initial.leased,
    mask: null,
    startReported: Promise.resolve(),
    get stop() {
      return stop
    },
    stopping: AbortSignal.any([stopper.signal, signal]),
    requestStop(request) {
      if (phase === 'finished' || phase === 'closed') return
      if (stop && !mayReplace(stop, request)) return
      const isFirst = stop === null
      stop = request
      stopper.abort(new Error(request.sentence))
      logger.info({ reason: request.reason }, request.sentence)
      if (isFirst && supervised) tellSupervisor(supervised, request)
    },
    get supervised() {
      return supervised
    },
    watchOver(run) {
      supervised = run
      if (run && stop) tellSupervisor(run, stop)
      onChange()
    },
    answered,
    release() {
      released.abort()
      supervised?.release()
    },
  }
}
