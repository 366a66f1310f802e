import { BatonError } from '@baton/protocol'

const IN_FLIGHT = 2

/**
 * Sends items that are added at about the same time in one call: at once while fewer than two calls are in flight, else
 * together with all that gathered. Each `add` resolves with its own answer, or rejects with its call.
 */
export function createCallBatcher<In extends { deliveryId: string }, Out extends { deliveryId: string }>(
  send: (items: In[]) => Promise<Out[]>,
  limits: { items: number; bytes?: number },
): (item: In) => Promise<Out> {
  type Waiting = { item: In; resolve: (answer: Out) => void; reject: (error: unknown) => void }
  const waiting: Waiting[] = []
  let inFlight = 0
  let scheduled = false

  function schedule() {
    if (scheduled) return
    scheduled = true
    queueMicrotask(() => {
      scheduled = false
      while (waiting.length > 0 && inFlight < IN_FLIGHT) void sendSome()
    })
  }

  async function sendSome() {
    const batch = takeBatch()
    inFlight += 1
    try {
      const answers = await send(batch.map(({ item }) => item))
      const byDelivery = new Map(answers.map((answer) => [answer.deliveryId, answer]))
      for (const { item, resolve, reject } of batch) {
        const answer = byDelivery.get(item.deliveryId)
        if (answer) resolve(answer)
        else reject(new BatonError('internal', `The relay's answer leaves out delivery ${item.deliveryId}`))
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    } finally {
      inFlight -= 1
      schedule()
    }
  }

  function takeBatch(): Waiting[] {
    if (limits.bytes === undefined) return waiting.splice(0, limits.items)
    let bytes = 0
    let count = 0
    for (const { item } of waiting.slice(0, limits.items)) {
      bytes += Buffer.byteLength(JSON.stringify(item))
      if (count > 0 && bytes > limits.bytes) break
      count += 1
    }
    return waiting.splice(0, count)
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      schedule()
    })
}
