import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { LeaseRef, PushedDelivery, SettleReport } from '@baton/protocol'
import { createBatcher } from '@baton/service'
import { connectWireRunner, leaseOf, type WireRunner, wireRun } from '@baton/testkit'
import { type Journal, openJournal } from '../../../apps/runner/src/journal/open-journal.ts'
import { nowMs } from '../support/now-ms.ts'
import { serveCalls } from '../support/worker.ts'

export type NoOpRunners = {
  /** Connects a runner for each key; with slots they take deliveries from now on. */
  connect(input: { url: string; keys: string[]; slots: number }): Promise<void>
  /** Resolves when this many deliveries were settled since the start, with when the last one was. */
  settled(input: { count: number }): Promise<{ atMs: number }>
  /** When each delivery came, and when its acceptance was confirmed. */
  times(input: null): Record<string, { pushedMs: number; acceptedMs: number }>
}

/**
 * Runners that do everything of the wire and of the journal and nothing between: a delivery is fsynced before it is
 * accepted, its end before it is settled, with the runner's own journal and the runner's own batching.
 */
const folder = mkdtempSync(path.join(tmpdir(), 'baton-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const times: Record<string, { pushedMs: number; acceptedMs: number }> = {}
let settledCount = 0
let lastSettledMs = 0
let waiting: { count: number; resolve: () => void } | null = null

serveCalls({
  async connect({ url, keys, slots }) {
    for (const [index, key] of keys.entries()) {
      const journal = await openJournal(path.join(folder, `${index}.log`))
      carryOut(await connectWireRunner(url, key), journal, slots)
    }
  },
  async settled({ count }) {
    if (settledCount < count) await new Promise<void>((resolve) => (waiting = { count, resolve }))
    return { atMs: lastSettledMs }
  },
  times: () => times,
} satisfies NoOpRunners)

function carryOut(runner: WireRunner, journal: Journal, slots: number) {
  const accept = createBatcher<LeaseRef, boolean>({
    flush: async (deliveries) =>
      (await runner.api.runner.accept.mutate({ deliveries })).map((answer) => answer.ok),
  })
  const settle = createBatcher<SettleReport, null>({
    flush: async (runs) =>
      (await runner.api.runner.settle.mutate({ sentAt: Date.now(), runs })).map(() => null),
    maxItems: 100,
  })
  const offer = createBatcher<null, null>({
    flush: async (freed) => {
      await runner.api.runner.offer.mutate({ slots: freed.length })
      return freed.map(() => null)
    },
    maxItems: 100,
  })

  async function doNothing(delivery: PushedDelivery) {
    const time = { pushedMs: nowMs(), acceptedMs: 0 }
    const lease = leaseOf(delivery)
    await journal.append({ kind: 'accepted', delivery })
    if (!(await accept.add(lease))) throw new Error('A lease was lost.')
    time.acceptedMs = nowMs()
    times[delivery.deliveryId] = time
    const report = wireRun(lease, []).settle
    await journal.append({ kind: 'finished', settle: report })
    await settle.add(report)
    await journal.append({ kind: 'closed', deliveryId: lease.deliveryId, runId: lease.runId, why: 'settled' })
    lastSettledMs = nowMs()
    if (++settledCount >= (waiting?.count ?? Number.POSITIVE_INFINITY)) waiting?.resolve()
    await offer.add(null)
  }

  runner.subscribe({
    slots,
    onPush: (push) => {
      for (const delivery of push.deliveries) doNothing(delivery).catch(fail)
    },
    onEnd: (error) => fail(error ?? new Error('The session ended.')),
  })
}

function fail(error: unknown): void {
  if (!process.connected) return
  process.stderr.write(`A no-op runner failed: ${(error as Error).stack}\n`)
  process.exit(1)
}
