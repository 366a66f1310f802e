import { setTimeout as wait } from 'node:timers/promises'
import { signRequest } from '@baton/webhooks'

export type Hook = { path: string; secret: string }
export type Sent = {
  attempted: number
  requests: number
  /** Delivery id of the sender → the event that the relay named. */
  acknowledged: Map<string, string>
  /** A repeat that was answered with another event. */
  otherAnswers: string[]
  hung: number
  /** Answers that are neither 202 nor 429 nor 503. */
  refused: Map<number, number>
}

const HUNG_MS = 5_000

/** Sends `count` signed webhooks, each until it is acknowledged; a share of them twice at once or again later. */
export async function sendHooks(options: {
  relays: string[]
  hooks: Hook[]
  count: number
  senders: number
  duplicates: number
  random: () => number
  /** Spreads the sending over at least this time, so that faults fall between. */
  overMs: number
}): Promise<Sent> {
  const sent: Sent = {
    attempted: 0,
    requests: 0,
    acknowledged: new Map(),
    otherAnswers: [],
    hung: 0,
    refused: new Map(),
  }
  const { random } = options
  const startedAt = performance.now()
  let next = 0

  async function sender() {
    while (next < options.count) {
      const index = next++
      const early = startedAt + (index / options.count) * options.overMs - performance.now()
      if (early > 0) await wait(early)
      const id = `hook-${index}`
      sent.attempted++
      const times = random() < options.duplicates ? 2 : 1
      const isAtOnce = random() < 0.5
      const first = sendOne(id, index)
      if (!isAtOnce) await first
      await Promise.all(times === 2 ? [first, sendOne(id, index)] : [first])
    }
  }

  /** Until it is acknowledged, at whichever relay answers. */
  async function sendOne(id: string, index: number) {
    const hook = options.hooks[index % options.hooks.length] as Hook
    const body = JSON.stringify({ number: index, text: `webhook ${index} 🌹` })
    for (;;) {
      const eventId = await tryOnce(id, hook, body)
      if (eventId !== null) {
        const known = sent.acknowledged.get(id) ?? eventId
        if (known !== eventId) sent.otherAnswers.push(`${id}: ${known}, then ${eventId}`)
        sent.acknowledged.set(id, known)
        return
      }
      await wait(10 + random() * 90)
    }
  }

  async function tryOnce(id: string, hook: Hook, body: string): Promise<string | null> {
    sent.requests++
    const relay = options.relays[Math.floor(random() * options.relays.length)]
    const signed = signRequest({ scheme: 'baton', secret: hook.secret, id, timestampMs: Date.now(), body })
    const limit = AbortSignal.timeout(HUNG_MS)
    try {
      const response = await fetch(`${relay}/hooks/${hook.path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...signed },
        body,
        signal: limit,
      })
      const text = await response.text()
      if (response.status === 202) return (JSON.parse(text) as { eventId: string }).eventId
      if (response.status !== 429 && response.status !== 503)
        sent.refused.set(response.status, (sent.refused.get(response.status) ?? 0) + 1)
      return null
    } catch {
      if (limit.aborted) sent.hung++
      return null
    }
  }

  await Promise.all(Array.from({ length: options.senders }, sender))
  return sent
}
