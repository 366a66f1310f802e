import type { OutputFacts } from '@baton/db'
import { type AgentId, type EventSource, type RunChanges, type RunState, statusWord } from '@baton/protocol'
import { payloadOf } from '../inbox/payload-of.ts'

/** What templates of an output can name. Times in ms since 1970. */
export type RunFacts = {
  run: {
    id: string
    url: string
    state: RunState | null
    status: string
    outcome: string
    result: string
    error: string
    errorKind: string
    attempt: number
    exitCode: number | null
    durationMs: number | null
    startedAt: number | null
    finishedAt: number | null
    changes: RunChanges | null
  }
  job: { key: string; name: string }
  event: { id: string; source: EventSource }
  agent: { id: AgentId; key: string; name: string }
  machine: { name: string }
  payload: unknown
}

/** `cause` is why a run that went well is told of as a failure. */
export function toRunFacts(facts: OutputFacts, publicUrl: string, cause: string | null): RunFacts {
  const run =
    facts.state === null
      ? null
      : { state: facts.state, outcome: facts.outcome, hasResult: Boolean(facts.result) }
  const startedAt = facts.startedAt?.getTime() ?? null
  const finishedAt = facts.finishedAt?.getTime() ?? null
  const isWell = facts.deliveryState === 'succeeded' && cause === null
  return {
    run: {
      id: facts.runId,
      url: `${publicUrl}/runs/${facts.runId}`,
      state: facts.state,
      status: cause === null ? statusWord(facts.deliveryState, run, facts.machine.state) : 'failed',
      outcome: facts.outcome ?? '',
      result: facts.result ?? '',
      error: cause ?? (isWell ? '' : (facts.message ?? facts.reasonMessage ?? '')),
      errorKind: facts.errorKind ?? (isWell ? '' : (facts.reason ?? '')),
      attempt: facts.attempt,
      exitCode: facts.exitCode,
      durationMs: startedAt === null || finishedAt === null ? null : finishedAt - startedAt,
      startedAt,
      finishedAt,
      changes: facts.changes,
    },
    job: facts.job,
    event: { id: facts.event.id, source: facts.event.source },
    agent: facts.agent,
    machine: { name: facts.machine.name },
    payload: facts.event.body && payloadOf(facts.event.body, facts.event.contentType),
  }
}

/** A run as it could have been: for the sample that tests an output. */
export function sampleFacts(job: { key: string; name: string }, publicUrl: string, now: number): RunFacts {
  return {
    run: {
      id: 'run_00000000000070008000000000000000',
      url: `${publicUrl}/runs`,
      state: 'succeeded',
      status: 'done',
      outcome: 'done',
      result: 'This is a sample that somebody sent to try this output. No agent has run.',
      error: '',
      errorKind: '',
      attempt: 1,
      exitCode: 0,
      durationMs: 42_000,
      startedAt: now - 42_000,
      finishedAt: now,
      changes: null,
    },
    job,
    event: { id: 'evt_00000000000070008000000000000000', source: 'manual' },
    agent: { id: 'agt_00000000000070008000000000000000', key: 'sample', name: 'Sample' },
    machine: { name: 'sample' },
    payload: {},
  }
}
