import { setTimeout as sleep } from 'node:timers/promises'
import { decodeRunEvent, type EncodedRunEvent, RECONNECT_BASE_MS, type RunEvent } from '@baton/protocol'
import { type BatonApiError, toApiError } from './api-error.ts'
import type { Raw } from './connect.ts'

type Ended = 'complete' | 'full' | BatonApiError

/** Above this many waiting events the subscription is let go; it is taken up again when the reader caught up. */
const WAITING_EVENTS = 5_000

/**
 * A run's events from `fromSeq` on: those stored, then each as it comes, until `finished`. Every event comes once and in
 * order, over cut connections and restarts of the relay. A reader that falls behind costs bounded memory.
 */
export async function* followRun(
  raw: Raw,
  url: string,
  id: string,
  { fromSeq = 1, signal }: { fromSeq?: number; signal?: AbortSignal } = {},
): AsyncGenerator<RunEvent, void, undefined> {
  let next = fromSeq
  for (;;) {
    signal?.throwIfAborted()
    const feed = openFeed(raw, url, id, next, signal)
    let isGap = false
    try {
      for await (const { seq, text } of feed.events()) {
        if (seq < next) continue
        isGap = seq > next
        if (isGap) break
        next = seq + 1
        const event = decode(seq, text)
        yield event
        if (event.type === 'finished') return
      }
    } finally {
      feed.close()
    }
    const ended = isGap ? null : feed.ended()
    if (ended === 'complete') return
    if (ended instanceof Error && !ended.retryable) throw ended
    if (ended !== 'full') await sleep(RECONNECT_BASE_MS, undefined, signal ? { signal } : {})
  }
}

/** One subscription as an async iterator. `ended` says afterwards why it ended; null when the reader left it. */
function openFeed(raw: Raw, url: string, id: string, fromSeq: number, signal: AbortSignal | undefined) {
  const waiting: EncodedRunEvent[] = []
  let ended: Ended | null = null
  let wake = () => {}
  const end = (why: Ended) => {
    ended ??= why
    wake()
  }
  const subscription = raw.runs.events.subscribe(
    { id, fromSeq },
    {
      onData: ({ data }: { data: EncodedRunEvent[] }) => {
        waiting.push(...data)
        if (waiting.length > WAITING_EVENTS) {
          // First, because unsubscribing calls onComplete, and the first cause counts.
          end('full')
          subscription.unsubscribe()
        }
        wake()
      },
      onError: (error: unknown) => end(toApiError(error, url)),
      onComplete: () => end('complete'),
    },
  )
  const stop = () => {
    subscription.unsubscribe()
    wake()
  }
  signal?.addEventListener('abort', stop, { once: true })

  async function* events(): AsyncGenerator<EncodedRunEvent, void, undefined> {
    for (;;) {
      signal?.throwIfAborted()
      yield* waiting.splice(0)
      if (waiting.length > 0) continue
      if (ended) return
      await new Promise<void>((resolve) => {
        wake = resolve
        if (waiting.length > 0 || ended || signal?.aborted) resolve()
      })
    }
  }
  const close = () => {
    signal?.removeEventListener('abort', stop)
    subscription.unsubscribe()
  }
  return { events, close, ended: () => ended }
}

/** An event of a newer runner that this version does not know is said, never left out. */
function decode(seq: number, text: string): RunEvent {
  try {
    return decodeRunEvent(seq, text)
  } catch {
    const { at } = JSON.parse(text) as { at: number }
    return { seq, at, type: 'warning', text: `This event is of a newer version of Baton: ${text}` }
  }
}
