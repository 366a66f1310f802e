import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ApprovalView,
  type ControlView,
  type ErrorKind,
  isFinishedDelivery,
  isFinishedRun,
  type Outcome,
  type RunEvent,
  type RunId,
  type RunView,
} from '@baton/protocol'
import { createApprovals } from './approvals.ts'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'
import { followRun } from './follow-run.ts'

/** A run that ended in anything but success. `run` is everything the relay knows about it. */
export class RunFailedError extends Error {
  readonly outcome: Outcome | null
  readonly errorKind: ErrorKind | null
  readonly url: string
  readonly run: RunView

  constructor(run: RunView, url: string) {
    super(`${run.sentence} See ${url}`)
    this.name = 'RunFailedError'
    this.outcome = run.outcome
    this.errorKind = run.errorKind
    this.url = url
    this.run = run
  }
}

type Dependencies = { raw: Raw; call: Call; url: string }

/** A handle of one run: `id` and `url` at once, everything else by asking. */
export type Run = {
  readonly id: RunId
  /** The run's page on the dashboard. */
  readonly url: string
  /** Stored events from `fromSeq` (default 1), then live ones, until `finished`; resumes by itself after a cut. */
  events(options?: { fromSeq?: number; signal?: AbortSignal }): AsyncGenerator<RunEvent, void, undefined>
  /** Waits for the end. Throws RunFailedError when the run did not succeed; `result` in the answer is its text. */
  result(options?: { signal?: AbortSignal }): Promise<RunView>
  cancel(reason?: string): Promise<RunView>
  /** A message into the running run. The same idempotency key again is the same message. */
  steer(text: string, options?: { idempotencyKey?: string }): Promise<{ id: string }>
  /** Ends what the agent does right now; a message that waits for it is still heard. */
  interrupt(): Promise<{ id: string }>
  /** What its agent asked, newest first. */
  approvals(): AsyncGenerator<ApprovalView, void, undefined>
  /** What people told it, oldest first, and how far each got. */
  controls(): Promise<ControlView[]>
  get(): Promise<RunView>
}

export function createRun({ raw, call, url: relay }: Dependencies, id: RunId): Run {
  const url = `${relay}/runs/${id}`
  const get = () => call(raw.runs.get.query({ id }))
  const run: Run = {
    id,
    url,
    get,
    events: (options) => followRun(raw, relay, id, options),
    steer: (text, { idempotencyKey = randomUUID() } = {}) =>
      call(raw.runs.steer.mutate({ id, text, idempotencyKey })),
    interrupt: () => call(raw.runs.interrupt.mutate({ id })),
    approvals: () => createApprovals(raw, call).list({ runId: id }),
    controls: () => call(raw.runs.controls.query({ id })),
    cancel: (reason) => call(raw.runs.cancel.mutate({ id, ...(reason ? { reason } : {}) })),
    async result({ signal } = {}) {
      const view = await waitForEnd(run, signal)
      if (view.state !== 'succeeded') throw new RunFailedError(view, url)
      return view
    },
  }
  return run
}

/** The last event comes a moment before the runner's report, which is what decides the run's state. */
async function waitForEnd(run: Run, signal: AbortSignal | undefined): Promise<RunView> {
  for (let waitMs = 20; ; waitMs = Math.min(waitMs * 2, 2_000)) {
    const known = await run.get()
    if (hasEnded(known)) return known
    const fromSeq = Math.max(1, known.transcript.events)
    for await (const event of run.events({ fromSeq, ...(signal ? { signal } : {}) })) void event
    const view = await run.get()
    if (hasEnded(view)) return view
    await sleep(waitMs, undefined, signal ? { signal } : {})
  }
}

const hasEnded = (view: RunView) =>
  (view.state !== null && isFinishedRun(view.state)) || isFinishedDelivery(view.deliveryState)
