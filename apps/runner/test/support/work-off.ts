import type { PushedDelivery, RunEventBody } from '@baton/protocol'
import { connectWireRunner, eventually, leaseOf, wireRun } from '@baton/testkit'
import { expect } from 'vitest'

/**
 * Does what is queued as a runner would, each with a longer transcript than the one before; the last has 6 MB. Answers the
 * ids of its runs.
 */
export async function workOff(url: string, key: string, count: number): Promise<string[]> {
  await using runner = await connectWireRunner(url, key)
  const deliveries: PushedDelivery[] = []
  const runIds: string[] = []
  runner.subscribe({ slots: count, onPush: (push) => void deliveries.push(...push.deliveries) })
  await eventually(() => expect(deliveries).toHaveLength(count))
  for (const [index, delivery] of deliveries.entries()) {
    const lease = leaseOf(delivery)
    const isLong = index === count - 1
    const bodies = Array.from(
      { length: isLong ? 100 : index * 3 },
      (_, n): RunEventBody => ({
        type: 'output',
        stream: 'stdout',
        text: isLong ? String.fromCodePoint(97 + (n % 26)).repeat(60_000) : `\u001b[1m line ${n} ü\n`,
      }),
    )
    const { events, settle } = wireRun(lease, bodies, {
      result: `result ${index}`,
      sessionId: 'abc',
      usage: {
        inputTokens: 10,
        outputTokens: index,
        cachedTokens: 0,
        costUsd: 0.1 * index,
        model: `m${index % 2}`,
      },
    })
    await runner.api.runner.accept.mutate({ deliveries: [lease] })
    await runner.api.runner.start.mutate({
      sentAt: Date.now(),
      runs: [{ ...lease, startedAt: Date.now(), workspace: '/tmp/w' }],
    })
    for (let at = 0; at < events.length; at += 5) {
      const part = {
        runId: lease.runId,
        fence: lease.fence,
        fromSeq: at + 1,
        events: events.slice(at, at + 5),
      }
      expect((await runner.api.runner.append.mutate(part)).result).toBe('stored')
    }
    await runner.api.runner.settle.mutate({ sentAt: Date.now(), runs: [settle] })
    runIds.push(lease.runId)
  }
  return runIds
}
