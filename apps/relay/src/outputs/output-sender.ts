import type {
  DeliveryId,
  DispatchId,
  EventId,
  JobId,
  OrganizationId,
  OutputConfigs,
  OutputId,
  OutputKind,
  OutputMoment,
  OutputText,
  RunId,
} from '@baton/protocol'
import type { Outbound } from './outbound/outbound.ts'
import type { RunFacts } from './run-facts.ts'

/** A dispatch in the hand of one relay for one try. Nobody else sends it until its claim ends. */
export type ClaimedDispatch<K extends OutputKind = OutputKind> = {
  id: DispatchId
  kind: K
  organizationId: OrganizationId
  outputId: OutputId | null
  jobId: JobId | null
  deliveryId: DeliveryId | null
  runId: RunId | null
  eventId: EventId | null
  /** The same for every try: a receiver that knows it has this effect already. */
  key: string
  /** The same for every try: a text to put where `readBack` finds it again. */
  marker: string
  config: K extends keyof OutputConfigs ? OutputConfigs[K] : Record<string, unknown>
  text: OutputText
  /** This one included. */
  tries: number
  firstTriedAt: number
  /** What an earlier try, or an earlier effect of the same delivery, left. */
  externalId: string | null
}

/** What is to be said, rendered from the output's templates. */
export type Message = {
  subject: string
  body: string
  format: OutputText['format']
}

export type SendContext = {
  facts: RunFacts
  message: Message
  /** When the output is sent; null for an effect without an output. */
  moment: OutputMoment | null
  /** How many events of a chain came before the one that this is about. */
  hops: number
  /** The only way out to other people's servers: checks where it goes. */
  outbound: Outbound
  /** Ends when the try has taken too long. */
  signal: AbortSignal
  publicUrl: string
  now: () => number
}

export type Sent = {
  result: 'sent'
  externalId?: string | undefined
  url?: string | undefined
  content?: string | undefined
}
/**
 * sent: the other side has it. retry: it has not, and may take it later. failed: it never will; `disables` switches the
 * output off. unknown: bytes went out and no answer came.
 */
export type SendResult =
  | Sent
  | { result: 'retry'; why: string; afterMs?: number | undefined }
  | { result: 'failed'; why: string; disables?: boolean }
  | { result: 'unknown'; why: string }

/**
 * What is there of an effect whose result is unknown. unknown: the other side cannot be asked now, so it is asked again
 * before anything is repeated. cannot: nobody can tell, so it is repeated under the same key.
 */
export type ReadBackResult =
  | Sent
  | { result: 'absent' }
  | { result: 'unknown'; why: string; afterMs?: number | undefined }
  | { result: 'cannot'; why: string }

/**
 * Carries out the dispatches of one kind. Both functions answer and never throw for what the other side does; what they
 * throw is taken as `unknown`. They are called again after any crash, so an effect that can be found by its marker
 * happens once, and one that cannot happens at least once under the same key.
 */
export type OutputSender<K extends OutputKind = OutputKind> = {
  kind: K
  send(dispatch: ClaimedDispatch<K>, context: SendContext): Promise<SendResult>
  readBack?(dispatch: ClaimedDispatch<K>, context: SendContext): Promise<ReadBackResult>
}

/** The senders of a relay. A part that makes effects of its own (the GitHub App) registers before the relay starts. */
export type OutputSenders = {
  register<K extends OutputKind>(sender: OutputSender<K>): void
  get(kind: OutputKind): OutputSender | null
  kinds(): OutputKind[]
}

export function createOutputSenders(): OutputSenders {
  const senders = new Map<OutputKind, OutputSender>()
  return {
    register(sender) {
      if (senders.has(sender.kind)) throw new Error(`There is a sender for ${sender.kind} already.`)
      senders.set(sender.kind, sender as OutputSender)
    },
    get: (kind) => senders.get(kind) ?? null,
    kinds: () => [...senders.keys()],
  }
}
