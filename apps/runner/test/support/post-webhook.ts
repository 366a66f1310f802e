import { randomUUID } from 'node:crypto'
import { signRequest } from '@baton/webhooks'

/** Sends a webhook as GitHub signs it, and answers its status. */
export async function postWebhook(url: string, secret: string, body: string): Promise<number> {
  const headers = signRequest({ scheme: 'github', secret, id: randomUUID(), timestampMs: Date.now(), body })
  const answer = await fetch(url, {
    method: 'POST',
    body,
    headers: { ...headers, 'content-type': 'application/json' },
  })
  await answer.text()
  return answer.status
}
