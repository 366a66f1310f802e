import { createHmac, randomUUID } from 'node:crypto'
import type { GithubWorld, HookDelivery, StandInApp } from './github-world.ts'

export type WebhookSender = {
  /** Sends one event as GitHub does; resolves when the answer is known. `dropped`: it never reaches the receiver. */
  send(
    app: StandInApp,
    event: string,
    payload: object,
    options?: { dropped?: boolean },
  ): Promise<HookDelivery>
  redeliver(app: StandInApp, delivery: HookDelivery): void
  /** This share of all sendings from now on, redeliveries too, is dropped. */
  drop(share: number, random: () => number): void
  /** Resolves when no sending is under way. */
  idle(): Promise<void>
}

const ANSWER_WITHIN_MS = 10_000

export function createWebhookSender(world: GithubWorld): WebhookSender {
  const underWay = new Set<Promise<unknown>>()
  let isDropped = () => false

  async function attempt(app: StandInApp, delivery: HookDelivery, dropped: boolean): Promise<HookDelivery> {
    const began = performance.now()
    const answer = dropped || isDropped() ? null : await post(app, delivery)
    delivery.duration = (performance.now() - began) / 1000
    delivery.status_code = answer ?? 0
    delivery.status =
      answer === null ? 'failed to connect to host' : answer < 400 ? 'OK' : 'Invalid HTTP Response'
    delivery.delivered_at = new Date(world.now()).toISOString()
    app.deliveries.push(delivery)
    return delivery
  }

  function track<T>(work: Promise<T>): Promise<T> {
    underWay.add(work)
    void work.finally(() => underWay.delete(work)).catch(() => {})
    return work
  }

  return {
    send(app, event, payload, { dropped = false } = {}) {
      const body = JSON.stringify(payload)
      const { action, installation, repository } = payload as {
        action?: string
        installation?: { id: number }
        repository?: { id: number }
      }
      const delivery: HookDelivery = {
        id: world.nextId(),
        guid: randomUUID(),
        delivered_at: '',
        redelivery: false,
        duration: 0,
        status: '',
        status_code: 0,
        event,
        action: action ?? null,
        installation_id: installation?.id ?? null,
        repository_id: repository?.id ?? null,
        body,
      }
      return track(attempt(app, delivery, dropped))
    },
    redeliver(app, first) {
      void track(attempt(app, { ...first, id: world.nextId(), redelivery: true }, false))
    },
    drop(share, random) {
      isDropped = () => random() < share
    },
    async idle() {
      while (underWay.size > 0) await Promise.allSettled(underWay)
    },
  }
}

async function post(app: StandInApp, delivery: HookDelivery): Promise<number | null> {
  try {
    const response = await fetch(app.hookUrl, {
      method: 'POST',
      body: delivery.body,
      headers: githubHeaders(app, delivery),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    })
    await response.arrayBuffer()
    return response.status
  } catch {
    return null
  }
}

/** The headers of a webhook as GitHub sends them. Only the signature proves anything. */
export function githubHeaders(
  app: Pick<StandInApp, 'id' | 'webhookSecret'>,
  delivery: { event: string; guid: string; body: string },
): Record<string, string> {
  const hmac = createHmac('sha256', app.webhookSecret).update(delivery.body).digest('hex')
  return {
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/044aadd',
    'x-github-event': delivery.event,
    'x-github-delivery': delivery.guid,
    'x-github-hook-id': '1',
    'x-github-hook-installation-target-id': String(app.id),
    'x-github-hook-installation-target-type': 'integration',
    'x-hub-signature-256': `sha256=${hmac}`,
  }
}
