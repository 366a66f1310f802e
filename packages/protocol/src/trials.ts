import type { FilterFinding } from './filters.ts'
import type { AgentId, EventId, MachineId, TriggerId } from './ids.ts'
import type { RunRules } from './run-rules.ts'
import type { EventSource, IgnoredReason, MachineState } from './states.ts'
import type { TriggerKind } from './triggers.ts'

/** What a job that is not saved yet would make of an event. */
export type DraftRehearsalView = {
  fires: boolean
  /** Why not; null when it would. */
  reason: IgnoredReason | null
  message: string | null
  filters: FilterFinding[]
  prompt: string
  /** The prompt is longer than a run may have and would be cut. */
  promptCut: boolean
  /** What the prompt names without a default and this event does not have, such as `payload.ref`: filled in with nothing. */
  missing: string[]
  /** The concurrency or overlap key, filled in. */
  key: string | null
  /** What would happen next, as a sentence. */
  next: string
}

/** What a job would make of an event, without anything being stored. */
export type RehearsalView = DraftRehearsalView & {
  trigger: { id: TriggerId; kind: TriggerKind } | null
  rules: RunRules
  agent: { id: AgentId; key: string }
  machine: { id: MachineId; name: string; state: MachineState }
  workspace: string | null
}

/** One stored event as the job would take it now. */
export type SimulatedEvent = {
  id: EventId
  source: EventSource
  receivedAt: number
  fires: boolean
  reason: IgnoredReason | null
  message: string | null
  /** What came of it when it came. */
  fired: boolean
}
export type SimulationView = {
  since: number
  events: SimulatedEvent[]
  /** There were more; the newest were looked at. */
  isCapped: boolean
  fires: number
  /** Slots of its schedules in that time, newest first; at most 100 of each. */
  slots: { triggerId: TriggerId; count: number; isCapped: boolean; newest: number[] }[]
}
