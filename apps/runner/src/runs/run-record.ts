import {
  type LeaseRef,
  type PushedDelivery,
  type SettleAnswer,
  type SettleReport,
  settleReport,
} from '@baton/protocol'
import { type Outbox, openOutbox } from '../outbox/open-outbox.ts'
import type { RunContext } from './run-context.ts'
import { makeRunFolder } from './run-folder.ts'
import { readSpawnReport, toWireReport } from './spawn-report.ts'
import { createTranscript, type FinishFacts, type Transcript } from './transcript.ts'
import { untilAnswered } from './until-answered.ts'
import { startUpload, type Upload } from './upload-events.ts'

/** What a run has to say, on this disk and on its way to the relay. */
export type RunRecord = {
  /** Opens the transcript, new or as an earlier runner left it, and begins to send it. Opening again starts over. */
  open(): Promise<Transcript>
  /** Puts the end on the disk, the events before it. Only then may it be sent. */
  recordEnd(facts: FinishFacts): Promise<SettleReport>
  /** Sends the events, then the end, until the relay has answered. */
  send(settle: SettleReport): Promise<SettleAnswer['result']>
  /** The relay says up to where it has the events. */
  acked(seq: number): void
  close(): Promise<void>
}

export function createRunRecord(
  context: RunContext,
  delivery: PushedDelivery,
  lease: LeaseRef,
  folder: string,
  signal: AbortSignal,
): RunRecord {
  const { calls, journal, writes } = context
  let open: { outbox: Outbox; upload: Upload; closing: AbortController } | null = null
  let ackedSeq = 0

  async function openAgain(): Promise<Transcript> {
    await close()
    await makeRunFolder(folder, delivery)
    const outbox = await openOutbox(folder, lease.runId)
    const closing = new AbortController()
    const untilClosed = AbortSignal.any([signal, closing.signal])
    const upload = startUpload({ lease, outbox, ackedSeq, append: calls.append, writes, signal: untilClosed })
    open = { outbox, upload, closing }
    return createTranscript(outbox, context.bounds)
  }

  async function close() {
    const closed = open
    open = null
    closed?.closing.abort()
    await closed?.outbox.close()
  }

  return {
    open: openAgain,
    async recordEnd(facts) {
      if (!open) throw new Error('The transcript is not open.')
      const { outbox } = open
      await outbox.sync()
      const { lastSeq: finalSeq, hash: finalHash } = outbox
      const finishKey = `finish-${lease.runId}-${lease.fence}`
      const spawn = toWireReport(await readSpawnReport(folder))
      const settle = settleReport.parse({ ...lease, finishKey, ...facts, spawn, finalSeq, finalHash })
      await journal.append({ kind: 'finished', settle })
      return settle
    },
    async send(settle) {
      if (!open) await openAgain()
      await open?.upload.complete(settle.finalSeq)
      const answer = await untilAnswered(writes, signal, () => calls.settle(settle))
      return answer.result
    },
    acked(seq) {
      ackedSeq = seq
      open?.upload.acked(seq)
    },
    close,
  }
}
