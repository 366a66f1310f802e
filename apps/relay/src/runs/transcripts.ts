import { type AppendItem, appendRunEvents, type Db, findWatermark, type Watermark } from '@baton/db'
import type { AppendAnswer, AppendRequest, MachineId, RunId } from '@baton/protocol'
import { transcriptStep } from '@baton/protocol/transcript-hash'
import { createBatcher } from '@baton/service'
import { readApprovalSteps } from '../approvals/read-steps.ts'
import { withEachAlone } from '../inbox/each-alone.ts'
import type { Hints } from '../live/hints.ts'

export type Appended = { runId: RunId; fromSeq: number; texts: string[] }

export type Transcripts = {
  /** Stores the next events of a run; answers only after the commit. */
  append(machineId: MachineId, request: AppendRequest): Promise<AppendAnswer>
  /** Called after each commit with what was stored, in order within a run. */
  onAppend(listener: (appended: Appended) => void): () => void
  stop(): Promise<void>
}

type Waiting = {
  request: AppendRequest
  machineId: MachineId
  resolve: (answer: AppendAnswer) => void
  reject: (error: unknown) => void
}
type Writer = { watermark: Watermark | null; queue: Waiting[]; busy: boolean; usedAt: number }

/** Runs whose last append is longer ago are forgotten; their watermark is read again when they go on. */
const FORGET_AFTER_MS = 60_000
const BATCH_BYTES = 4 * 1024 * 1024

/**
 * Appends to transcripts. Appends of one run are stored one after the other, those of different runs together in group
 * commits. The watermark kept here is only a memory of the row: the statement stores a part only where it follows
 * exactly what is stored, and when it did not, the row is read again and the runner told where to go on.
 */
export function createTranscripts(db: Db, hints: Hints): Transcripts {
  const writers = new Map<RunId, Writer>()
  const listeners = new Set<(appended: Appended) => void>()
  const batch = createBatcher<AppendItem, boolean>({
    flush: (items) =>
      withEachAlone(items, async (some) => {
        const stored = await appendRunEvents(db, some)
        return some.map((item) => stored.has(item.runId))
      }),
    maxInFlight: 2,
    maxItems: 500,
    maxBytes: BATCH_BYTES,
    sizeOf: (item) => item.texts.reduce((sum, text) => sum + text.length, 0),
  })

  async function work(runId: RunId, writer: Writer) {
    writer.busy = true
    for (let waiting = writer.queue.shift(); waiting; waiting = writer.queue.shift()) {
      try {
        waiting.resolve(await appendOne(writer, waiting))
      } catch (error) {
        writer.watermark = null
        waiting.reject(error)
      }
    }
    writer.busy = false
    writer.usedAt = performance.now()
    forgetIdle(runId)
  }

  async function appendOne(writer: Writer, { request, machineId }: Waiting): Promise<AppendAnswer> {
    writer.watermark ??= await findWatermark(db, request.runId)
    const mark = writer.watermark
    if (!mark || mark.machineId !== machineId || mark.fence !== request.fence) {
      writer.watermark = null
      return { ackedSeq: mark?.lastSeq ?? 0, result: 'unknown_run' }
    }
    if (request.fromSeq > mark.lastSeq + 1) return { ackedSeq: mark.lastSeq, result: 'gap' }
    const texts = request.events.slice(mark.lastSeq + 1 - request.fromSeq)
    if (texts.length === 0) return { ackedSeq: mark.lastSeq, result: 'repeat' }
    const fromSeq = mark.lastSeq + 1
    const hashAfter = texts.reduce(transcriptStep, mark.lastHash)
    const steps = readApprovalSteps(texts)
    const isStored = await batch.add({
      runId: request.runId,
      machineId,
      fence: request.fence,
      fromSeq,
      hashBefore: mark.lastHash,
      hashAfter,
      texts,
      firstOutput: texts.some(showsOutput),
      consumed: texts.some((text) => text.includes('"type":"consumed"')),
      ...(steps && { steps }),
    })
    if (!isStored) {
      writer.watermark = await findWatermark(db, request.runId)
      return { ackedSeq: writer.watermark?.lastSeq ?? 0, result: 'gap' }
    }
    writer.watermark = { ...mark, lastSeq: mark.lastSeq + texts.length, lastHash: hashAfter }
    for (const listener of listeners) listener({ runId: request.runId, fromSeq, texts })
    hints.send('run', request.runId)
    return { ackedSeq: writer.watermark.lastSeq, result: 'stored' }
  }

  function forgetIdle(runId: RunId) {
    for (const [id, writer] of writers) {
      if (id === runId || writer.busy || performance.now() - writer.usedAt < FORGET_AFTER_MS) break
      writers.delete(id)
    }
    const writer = writers.get(runId)
    if (!writer) return
    writers.delete(runId)
    writers.set(runId, writer)
  }

  return {
    append(machineId, request) {
      const writer = writers.get(request.runId) ?? { watermark: null, queue: [], busy: false, usedAt: 0 }
      writers.set(request.runId, writer)
      return new Promise((resolve, reject) => {
        writer.queue.push({ request, machineId, resolve, reject })
        if (!writer.busy) void work(request.runId, writer)
      })
    },
    onAppend(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stop: () => batch.stop(),
  }
}

/** The agent's own first sign of life, for the ladder: everything but what the runner says about itself. */
function showsOutput(text: string): boolean {
  return !/"type":"(started|adopted|killed|finished|warning)"/.test(text.slice(0, 200))
}
