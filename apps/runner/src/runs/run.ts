import { setTimeout as wait } from 'node:timers/promises'
import type { LeaseRef, PushedDelivery, RunControl, SettleReport } from '@baton/protocol'
import { failed } from '../agents/run-ends.ts'
import { isFinalRefusal } from '../connection/call-error.ts'
import type { GoneRun, SupervisedRun } from '../processes/supervised-run.ts'
import { beginAccepted, beginPushed, refuseRun } from './begin-run.ts'
import { finishRun, reportEnd, settleRun } from './end-run.ts'
import { resumeAgent } from './follow-run.ts'
import type { RunContext } from './run-context.ts'
import { createRunLife, type RunLife, type RunPhase } from './run-life.ts'
import { unstartedEnd } from './run-work.ts'
import type { StopRequest } from './stop-request.ts'

export type Run = {
  readonly delivery: PushedDelivery
  readonly lease: LeaseRef
  readonly phase: RunPhase
  /** The relay knows that this runner has it: its lease is to be renewed. */
  readonly leased: boolean
  readonly pid: number | null
  /** Ends the agent and then the run, with this reason unless another came first. */
  requestStop(request: StopRequest): void
  /** A person told it something. */
  control(control: RunControl): void
  /** The relay says up to where it has the events. */
  acked(seq: number): void
  /** Lets go of the run and leaves its agent to its supervisor. */
  release(): void
  /** Settles when the run is closed or was released. Never rejects. */
  ended: Promise<void>
}

export type RunOrigin =
  | { from: 'push' }
  /** What the journal and the run's folder said at the start of this runner. */
  | { from: 'journal'; settle: SettleReport | null; left: SupervisedRun | GoneRun | null }

const FAILED_PAUSE_MS = 10_000

/** Takes one delivery from its push, or from the journal, to the relay's answer to its settle. */
export function createRun(
  context: RunContext,
  delivery: PushedDelivery,
  origin: RunOrigin,
  onChange: () => void,
): Run {
  const started = origin.from === 'journal' ? startedWork(origin.left) : null
  const life = createRunLife(
    context,
    delivery,
    {
      phase: firstPhase(origin, started),
      leased: origin.from === 'journal',
      supervised: started && !('gone' in started) ? started : null,
    },
    onChange,
  )
  const ended = liveAndTidy(life, origin, started)
  return {
    delivery,
    lease: life.lease,
    get phase() {
      return life.phase
    },
    get leased() {
      return life.leased
    },
    get pid() {
      return life.supervised?.pid ?? null
    },
    requestStop: (request) => life.requestStop(request),
    control: (control) => life.controls.receive(control),
    acked: (seq) => life.record.acked(seq),
    release: () => life.release(),
    ended,
  }
}

/** Null when its agent was never started. */
function startedWork(left: SupervisedRun | GoneRun | null): SupervisedRun | GoneRun | null {
  return left && 'gone' in left && left.gone === 'never_started' ? null : left
}

function firstPhase(origin: RunOrigin, started: SupervisedRun | GoneRun | null): RunPhase {
  if (origin.from === 'push') return 'admitting'
  if (origin.settle) return 'finished'
  return started ? 'running' : 'accepted'
}

async function live(life: RunLife, origin: RunOrigin, started: SupervisedRun | GoneRun | null) {
  if (origin.from === 'push') return await beginPushed(life)
  if (origin.settle) return await reportEnd(life, origin.settle)
  const transcript = await life.record.open()
  const { finish: facts } = transcript.memo()
  if (facts) return await settleRun(life, facts)
  if (started) return await resumeAgent(life, started, transcript)
  await beginAccepted(life)
}

async function liveAndTidy(life: RunLife, origin: RunOrigin, started: SupervisedRun | GoneRun | null) {
  await liveToTheEnd(life, () => live(life, origin, started))
  await life.record
    .close()
    .catch((error: unknown) => life.logger.warn({ error }, 'A transcript could not be closed.'))
}

async function liveToTheEnd(life: RunLife, first: () => Promise<void>): Promise<void> {
  let step = first
  for (let failures = 0; !life.signal.aborted; failures += 1) {
    try {
      return await step()
    } catch (error) {
      if (life.signal.aborted || isFinalRefusal(error)) return
      life.logger.error({ error, phase: life.phase }, 'A run could not be carried on.')
      if (failures > 0) await wait(FAILED_PAUSE_MS, undefined, { signal: life.signal }).catch(() => undefined)
      const isFirst = failures === 0
      step = () => fail(life, error, isFirst)
    }
  }
}

/**
 * Something here broke: the disk is full, a file cannot be read. The agent is ended; the first time what it printed
 * is still read to its end, after that only the failure is told.
 */
async function fail(life: RunLife, error: unknown, isFirst: boolean): Promise<void> {
  const full = (error as NodeJS.ErrnoException).code === 'ENOSPC'
  const errorKind = full ? 'disk_full' : 'internal'
  const message = full
    ? 'The disk of the machine is full. Free some space there, then run it again.'
    : `The runner could not carry the run on: ${(error as Error).message}`
  if (life.phase === 'admitting')
    return await refuseRun(life, { errorKind, message, final: false, retryAfterMs: FAILED_PAUSE_MS })
  life.requestStop({ reason: full ? 'disk_full' : 'shutdown', sentence: message })
  const left = life.supervised
  await left?.exited
  const transcript = await life.record.open()
  const { finish: facts } = transcript.memo()
  if (facts) return await settleRun(life, facts)
  if (left && isFirst) return await resumeAgent(life, left, transcript)
  await finishRun(life, transcript, unstartedEnd(failed(errorKind, message)))
}
