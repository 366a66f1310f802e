import { APPEND_BYTES, type LeaseRef } from '@baton/protocol'
import type { CallAnswer, CallInputs } from '../connection/runner-calls.ts'
import type { Outbox } from '../outbox/open-outbox.ts'
import { untilAnswered, type Writes } from './until-answered.ts'

/** The line is not known at first: what is on its way on a thin one holds up the renew of the lease. */
const FIRST_BYTES = 16 * 1024
/** On a thin line appends become smaller, down to this, so that each is answered in time. */
const SMALLEST_BYTES = 8 * 1024
const SLOW_MS = 2_000
const FAST_MS = 500
const MOST_EVENTS = 5_000

export type Upload = {
  /** The relay says that it has everything up to here. It may also say less than before, and is sent the rest again. */
  acked(seq: number): void
  /** Resolves when the relay has every event up to `lastSeq`, or says that it does not know the run. */
  complete(lastSeq: number): Promise<void>
}

/**
 * Sends a run's events as they are written: one append at a time, each with everything that gathered meanwhile, as far
 * as its size allows. Goes on until `signal` aborts.
 */
export function startUpload(options: {
  lease: LeaseRef
  outbox: Outbox
  ackedSeq: number
  append: (input: CallInputs['append']) => Promise<CallAnswer<'append'>>
  writes: Writes
  signal: AbortSignal
}): Upload {
  const { lease, outbox, signal } = options
  let acked = options.ackedSeq
  let batchBytes = FIRST_BYTES
  let unknown = false
  let wake = Promise.withResolvers<void>()

  async function run() {
    while (!unknown && !signal.aborted) {
      if (acked < outbox.lastSeq) await sendSome()
      else await outbox.changed(signal, acked)
    }
  }

  async function sendSome() {
    const answer = await untilAnswered(options.writes, signal, async () => {
      const stored = await outbox.read(acked + 1, batchBytes)
      const events = fitOnWire(stored.texts, batchBytes)
      const sentAt = performance.now()
      try {
        return await options.append({
          runId: lease.runId,
          fence: lease.fence,
          fromSeq: stored.fromSeq,
          events,
        })
      } finally {
        adapt(performance.now() - sentAt)
      }
    })
    unknown = answer.result === 'unknown_run'
    acked = answer.ackedSeq
    wake.resolve()
    wake = Promise.withResolvers()
  }

  function adapt(tookMs: number) {
    if (tookMs > SLOW_MS) batchBytes = Math.max(SMALLEST_BYTES, Math.floor(batchBytes / 4))
    else if (tookMs < FAST_MS) batchBytes = Math.min(APPEND_BYTES, batchBytes * 2)
  }

  const running = run()
  running.catch(() => undefined)

  return {
    acked(seq) {
      acked = seq
    },
    async complete(lastSeq) {
      while (acked < lastSeq && !unknown) {
        await Promise.race([wake.promise, running])
        signal.throwIfAborted()
      }
    },
  }
}

/** As many of the texts as fit, counted as they go over the wire: quoted once more, which can double them. */
function fitOnWire(texts: string[], maxBytes: number): string[] {
  let bytes = 0
  let count = 0
  for (const text of texts.slice(0, MOST_EVENTS)) {
    bytes += Buffer.byteLength(JSON.stringify(text)) + 1
    if (count > 0 && bytes > maxBytes) break
    count += 1
  }
  return texts.slice(0, count)
}
