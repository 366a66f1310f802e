import { parseJsonBody } from '@baton/webhooks'

/** What the stored body of an event says to a prompt: its JSON, the fields of its form, or its text. */
export function payloadOf(body: Buffer, contentType: string | null): unknown {
  if (contentType?.startsWith('application/x-www-form-urlencoded')) {
    const fields = new URLSearchParams(body.toString('utf8'))
    const inside = parseJsonBody(Buffer.from(fields.get('payload') ?? ''))
    return inside.ok ? inside.value : Object.fromEntries(fields)
  }
  const json = parseJsonBody(body)
  return json.ok ? json.value : body.toString('utf8')
}
