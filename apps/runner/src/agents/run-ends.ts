import type { ErrorKind } from '@baton/protocol'
import type { Exit, RunEnd, StopReason } from './runtime.ts'

/** The judgement of a run, apart from what the agent itself said. */
export type Verdict = Pick<RunEnd, 'state' | 'outcome' | 'errorKind' | 'message'>

export const succeeded = (outcome: RunEnd['outcome'] = 'done', message: string | null = null): Verdict => ({
  state: 'succeeded',
  outcome,
  errorKind: null,
  message,
})

export const failed = (errorKind: ErrorKind, message: string): Verdict => ({
  state: 'failed',
  outcome: 'error',
  errorKind,
  message,
})

/** What a run came to that Baton itself ended. */
export const STOPPED: Record<StopReason, Verdict> = {
  cancelled: { state: 'cancelled', outcome: 'error', errorKind: null, message: 'It was stopped as asked.' },
  timeout_silence: {
    state: 'timed_out',
    outcome: 'error',
    errorKind: 'timeout_silence',
    message: 'It printed nothing for longer than its silence limit, so it was ended.',
  },
  timeout_wall: {
    state: 'timed_out',
    outcome: 'error',
    errorKind: 'timeout_wall',
    message: 'It ran longer than its time limit, so it was ended.',
  },
  budget: failed('budget', 'It used up its budget, so it was ended.'),
  disk_full: failed('disk_full', 'The disk of the machine became full, so it was ended.'),
  superseded: {
    state: 'superseded',
    outcome: 'error',
    errorKind: null,
    message: 'A newer attempt took its place, so it was ended.',
  },
  shutdown: failed('killed', 'The runner was shut down and ended it.'),
}

/** What is wrong with a process that never ran, or null. */
export function couldNotRun(exit: Exit): Verdict | null {
  if (exit.error === null) return null
  return failed(exit.error, exit.message ?? `The agent could not be started or watched (${exit.error}).`)
}

/** The end of a process that somebody else ended, or that broke down, or null for one that exited by itself. */
export function endedBySignal(exit: Exit, lastWords: string): Verdict | null {
  const signal = exit.signal ?? SHELL_EXIT_SIGNALS[exit.exitCode ?? 0] ?? null
  if (signal === null) return null
  if (OUTSIDE_SIGNALS.has(signal))
    return failed('killed', `Something outside Baton ended the agent (${signal}).`)
  return failed('crashed', withLastWords(`The agent broke down (${signal})`, lastWords))
}

/** A sentence with the agent's last line of stderr behind it, where there is one. */
export function withLastWords(what: string, lastWords: string): string {
  return lastWords === '' ? `${what}.` : `${what}: ${lastWords}`
}

const OUTSIDE_SIGNALS = new Set(['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGHUP'])
/** A program that catches a signal, and a shell around one that did not, exits with 128 and the signal's number. */
const SHELL_EXIT_SIGNALS: Record<number, string> = {
  129: 'SIGHUP',
  130: 'SIGINT',
  134: 'SIGABRT',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  143: 'SIGTERM',
}
