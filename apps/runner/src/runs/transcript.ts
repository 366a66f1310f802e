import { BatonError, type RunEventBody, type SettleReport } from '@baton/protocol'
import type { JsonValue, RunReader, StreamOffsets } from '../agents/runtime.ts'
import type { Outbox } from '../outbox/open-outbox.ts'
import type { AskBook } from './ask-book.ts'
import { createOutputLimit, type LimitState, type OutputBounds, type Storable } from './limit-output.ts'

/** The part of a settle report that is known together with the last event. */
export type FinishFacts = Omit<
  SettleReport,
  'deliveryId' | 'runId' | 'fence' | 'finishKey' | 'finalSeq' | 'finalHash' | 'spawn'
>

/** What is stored with every record of the outbox beside the events, so that a successor goes on from exactly there. */
export type RunMemo = {
  reader: JsonValue
  limit: LimitState | null
  startedAt: number | null
  firstOutputAt: number | null
  /** What the agent asked and what people told it. */
  talk: AskBook | null
  /** Set by the record that holds the `finished` event: the transcript is complete. */
  finish: FinishFacts | null
}

const POSITION_EVERY_BYTES = 256 * 1024
const EMPTY_MEMO: RunMemo = {
  reader: null,
  limit: null,
  startedAt: null,
  firstOutputAt: null,
  talk: null,
  finish: null,
}

export function memoOf(outbox: Outbox): RunMemo {
  return { ...EMPTY_MEMO, ...(outbox.position.state as Partial<RunMemo> | null) }
}

export type Transcript = {
  /** Events of the runner's own, in their place among the agent's. */
  note(bodies: RunEventBody[], facts?: Partial<Pick<RunMemo, 'startedAt'>>): Promise<void>
  /**
   * What the reader returned for output that came at `atMs`. What is `urgent` is stored with it, or without it where the
   * run has printed so much that its output is held back.
   */
  take(
    events: RunEventBody[],
    reader: RunReader,
    atMs: number,
    urgent?: { events: RunEventBody[]; talk: AskBook },
  ): Promise<void>
  /** The last events of all. Throws when the transcript has an end already. */
  finish(bodies: RunEventBody[], facts: FinishFacts): Promise<void>
  /** Up to where the agent's output is safe in the outbox. */
  committed(): StreamOffsets
  memo(): RunMemo
}

/** Writes one run's events: numbers and hash come from the outbox, bounds from `limit-output`. */
export function createTranscript(outbox: Outbox, bounds: OutputBounds): Transcript {
  let memo = memoOf(outbox)
  let committed = outbox.position.committed
  const limit = createOutputLimit(bounds, memo.limit)

  function store(bodies: RunEventBody[], storable?: Storable | null): Promise<void> {
    if (storable) {
      memo = { ...memo, reader: storable.position.state, limit: storable.limit }
      committed = storable.position.committed
    }
    return outbox.append(bodies, { committed, state: memo as unknown as JsonValue })
  }

  /** A position alone is worth a record only when much would have to be read again without it. */
  function advanced({ position }: Storable): boolean {
    const { stdout, stderr } = position.committed
    return stdout + stderr - committed.stdout - committed.stderr > POSITION_EVERY_BYTES
  }

  return {
    note(bodies, facts) {
      memo = { ...memo, ...facts }
      return store(bodies)
    },
    async take(events, reader, atMs, urgent) {
      if (events.length > 0 && memo.firstOutputAt === null) memo = { ...memo, firstOutputAt: atMs }
      if (urgent) memo = { ...memo, talk: urgent.talk }
      const storable = limit.add(events, reader.position())
      const now = [...(storable?.events ?? []), ...(urgent?.events ?? [])]
      if (urgent || now.length > 0 || (storable && advanced(storable))) await store(now, storable)
    },
    async finish(bodies, facts) {
      if (memo.finish)
        throw new BatonError('internal', 'A transcript that has its end cannot get another one')
      const held = limit.finish()
      memo = { ...memo, finish: facts }
      await store([...(held?.events ?? []), ...bodies], held)
    },
    committed: () => committed,
    memo: () => memo,
  }
}
