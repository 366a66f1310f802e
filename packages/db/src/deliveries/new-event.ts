import type {
  AgentId,
  Cause,
  DeliveryId,
  EventId,
  EventSource,
  EventVerification,
  IgnoredReason,
  JobId,
  MachineId,
  OrganizationId,
  Overlap,
  RunId,
  RunLimits,
  TriggerId,
  Trust,
} from '@baton/protocol'

export type NewDelivery = {
  id: DeliveryId
  runId: RunId
  agentId: AgentId
  machineId: MachineId
  jobId: JobId | null
  prompt: string
  workspace: string | null
  /** Deliveries in the same lane of a machine run one after the other; null runs beside all others. */
  lane: string | null
  limits: RunLimits
  /** `public`: what the agent is told came from outside the organization. */
  trust: Trust
  /** null: none of the rules below. */
  rules: DeliveryRules | null
  /** Insert it already leased, if this is still the machine's session; else it is pending. */
  leaseEpoch: number | null
}

/** A job's rules as they stand for one delivery, with their keys filled in. */
export type DeliveryRules = {
  priority: number
  delayMs: number
  ttlMs: number | null
  stallMs: number | null
  concurrencyKey: string | null
  concurrencyLimit: number | null
  overlap: Overlap
  overlapKey: string | null
  /** Its agent's conversation to go on with. One delivery of it is at work at a time: see `concurrencyKey`. */
  conversation: string | null
}

export type NewEvent = {
  id: EventId
  organizationId: OrganizationId
  jobId: JobId | null
  triggerId: TriggerId | null
  source: EventSource
  ignored: IgnoredReason | null
  /** Why it is ignored, as a sentence. */
  ignoredMessage?: string | null
  verification?: EventVerification | null
  /** What made it, when that was a run, an output or another event. */
  cause?: Cause | null
  dedupScope: string
  dedupKey: string
  bodyHash: string
  contentType: string | null
  headers: Record<string, string>
  body: Buffer
  /** It is stored and `accepted` already: its deliveries are decided now. No deliveries is not for this statement. */
  stored?: true
  deliveries: NewDelivery[]
}

export type InsertedEvent = {
  eventId: EventId
  /** False for a repeat: then everything else is the first one's. */
  inserted: boolean
  bodyHash: string
  /** A coalesced event has the delivery of the one whose place it took; a skipped one has none. */
  deliveries: { id: DeliveryId; runId: RunId; fence: number }[]
  /** Earlier deliveries that this event replaced; those with `mustStop` are held by a machine. */
  replaced: { id: DeliveryId; machineId: MachineId; runId: RunId; fence: number; mustStop: boolean }[]
}
