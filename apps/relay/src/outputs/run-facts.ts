import type { AgentId, EventSource, RunChanges, RunState } from '@baton/protocol'

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
