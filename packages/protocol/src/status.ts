import type { DeliveryState, MachineState, Outcome, RunState } from './states.ts'
import type { StatusWord } from './views.ts'

/** The shape shown beside each word, so that colour is never the only sign. */
export const STATUS_SHAPES: Record<StatusWord, string> = {
  queued: '◌',
  starting: '◔',
  running: '●',
  waiting: '◆',
  asleep: '☾',
  done: '✓',
  warning: '▲',
  failed: '✕',
  stopped: '■',
  lost: '?',
}

/**
 * The delivery waits for its next attempt, so that the end of this one is not its end: it failed, it was lost before or
 * after its start, or its machine gave it back.
 */
export const isBetweenAttempts = (delivery: DeliveryState, newestRun: RunState) =>
  (delivery === 'pending' || delivery === 'parked') &&
  (newestRun === 'failed' || newestRun === 'timed_out' || newestRun === 'lost' || newestRun === 'superseded')

/** What a run came to, as far as its word depends on it. `hasResult`: its agent said something at its end. */
export type RunEnd = { state: RunState; outcome: Outcome | null; hasResult: boolean }

/**
 * An agent that may change files and changed none was asked a question, as long as it answered; when it also said
 * nothing, somebody should look. (Runs that may only read are simply `done`.)
 */
export const isAnswer = ({ outcome, hasResult }: Pick<RunEnd, 'outcome' | 'hasResult'>) =>
  outcome === 'changed_nothing' && hasResult

/** The one word that people see for a delivery and its newest run: the same in dashboard, CLI and SDK. */
export function statusWord(
  delivery: DeliveryState,
  run: RunEnd | null,
  machine: MachineState,
  waitsForApproval = false,
): StatusWord {
  if (run?.state === 'superseded' || run?.state === 'cancelled' || delivery === 'cancelled') return 'stopped'
  if (run?.state === 'lost') return 'lost'
  if (run?.state === 'succeeded')
    return run.outcome === 'done' || run.outcome === null || isAnswer(run) ? 'done' : 'warning'
  if (run?.state === 'failed' || run?.state === 'timed_out') return 'failed'
  switch (delivery) {
    case 'pending':
      return machine === 'offline' ? 'asleep' : 'queued'
    case 'parked':
      return 'waiting'
    case 'leased':
      return 'starting'
    case 'running':
      if (waitsForApproval) return 'waiting'
      return run?.state === 'starting' ? 'starting' : 'running'
    case 'stalled':
      return 'asleep'
    case 'succeeded':
      return 'done'
    case 'failed':
    case 'dead':
    case 'expired':
      return 'failed'
  }
}

/** Exit code of `baton run` and `baton logs -f` for a finished run (docs: `baton help exit-codes`). */
export const STATUS_EXIT_CODES: Record<StatusWord, number> = {
  done: 0,
  warning: 0,
  failed: 8,
  stopped: 9,
  lost: 9,
  waiting: 10,
  queued: 12,
  asleep: 12,
  starting: 1,
  running: 1,
}
