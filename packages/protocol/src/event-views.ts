import type { DeliveryId, EventId, JobId, RunId, TriggerId } from './ids.ts'
import type { DispatchView } from './outputs.ts'
import type { DeliveryState, EventSource, EventState, IgnoredReason } from './states.ts'
import type { TriggerKind, WebhookScheme } from './triggers.ts'
import type { StatusWord } from './views.ts'

export type EventView = {
  id: EventId
  source: EventSource
  state: EventState
  reason: IgnoredReason | null
  /** The same as a sentence, with what exactly: which filter, how many slots. */
  reasonMessage: string | null
  job: { id: JobId; key: string } | null
  deliveryKey: string
  contentType: string | null
  bodyBytes: number
  headers: Record<string, string>
  receivedAt: number
  deliveries: { id: DeliveryId; state: DeliveryState; runId: RunId }[]
}
export type EventDetail = EventView & {
  /** As it came, before anything was made of it. */
  body: string
  bodyEncoding: 'text' | 'base64'
  /** How the sender proved itself; null for what does not come over the intake. */
  verification: EventVerification | null
  trigger: { id: TriggerId; kind: TriggerKind } | null
  /** The run, output or event that made this one. */
  cause: { id: string; hops: number } | null
  runs: EventRun[]
  /** What was and is to be sent about its deliveries, oldest first. */
  dispatches: DispatchView[]
}

export type EventVerification = {
  scheme: WebhookScheme
  /** Whether the sender's id and time are signed with the body. */
  signedId: boolean
  signedAt: number | null
}
export type EventRun = {
  id: RunId
  deliveryId: DeliveryId
  attempt: number
  status: StatusWord
  leasedAt: number | null
  startedAt: number | null
  finishedAt: number | null
}

/** A request that was refused at a known address: kept in the memory of the relay for a short time. */
export type RefusedRequest = {
  at: number
  status: number
  /** Its stable name, such as `signature-refused`. */
  type: string
  detail: string
  contentType: string | null
  bytes: number | null
  headers: Record<string, string>
}
/** Counted since this relay started, with the newest of them. */
export type RefusedView = { path: string; count: number; requests: RefusedRequest[] }
