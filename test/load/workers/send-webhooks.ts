import { percentile } from '../support/statistics.ts'
import { type Hook, openWebhookConnection, signedWebhooks } from '../support/webhooks.ts'
import { serveCalls } from '../support/worker.ts'

export type SendWebhooks = {
  /** Makes and signs the requests, so that the measurement sends bytes that lie ready. */
  prepare(input: Hook & { count: number }): { bytes: number }
  /** Sends them all, each connection one after the other, and counts the answers other than `expect`. */
  send(input: { port: number; connections: number; expect: number }): Promise<Sent>
}
export type Sent = { perSecond: number; p50Ms: number; p99Ms: number; wrong: number }

let requests: Buffer[] = []

serveCalls({
  prepare({ count, path, secret }) {
    requests = signedWebhooks(count, { path, secret })
    return { bytes: requests.reduce((sum, request) => sum + request.length, 0) }
  },

  async send({ port, connections, expect }) {
    const expected = `HTTP/1.1 ${expect}`
    const times: number[] = []
    let next = 0
    let wrong = 0
    async function sendOneByOne() {
      await using connection = await openWebhookConnection(port)
      for (let request = requests[next++]; request; request = requests[next++]) {
        const sentAt = performance.now()
        const answer = await connection.send(request)
        times.push(performance.now() - sentAt)
        if (!answer.startsWith(expected)) wrong++
      }
    }
    const startedAt = performance.now()
    await Promise.all(Array.from({ length: connections }, sendOneByOne))
    const perSecond = requests.length / ((performance.now() - startedAt) / 1000)
    requests = []
    return { perSecond, p50Ms: percentile(times, 50), p99Ms: percentile(times, 99), wrong }
  },
} satisfies SendWebhooks)
