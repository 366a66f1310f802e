import type { IncomingMessage } from 'node:http'
import { githubEventMatchesBody, parseJsonBody } from '@baton/webhooks'
import type { Problem } from '../http/problem.ts'
import type { HookTarget } from './hook-targets.ts'
import { REFUSALS } from './refusals.ts'

/** What a verified body says to a job, by its content type; or why it cannot be used. */
export function readPayload(
  request: IncomingMessage,
  target: Pick<HookTarget, 'scheme'>,
  body: Buffer,
): { value: unknown } | { problem: Problem } {
  const type =
    (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim().toLowerCase() ?? ''
  if (type.startsWith('text/')) return { value: body.toString('utf8') }
  // Slack sends commands and buttons as forms, whatever is asked of it.
  if (type === 'application/x-www-form-urlencoded' && target.scheme === 'slack') return readForm(body)
  if (type !== 'application/json' && !type.endsWith('+json')) {
    const detail = `The content type is "${type.slice(0, 100)}". Send application/json (for GitHub: choose it in the webhook's settings).`
    return {
      problem: {
        ...REFUSALS.encoded,
        type: 'wrong-content-type',
        title: 'Only JSON or text is accepted',
        detail,
      },
    }
  }
  const json = parseJsonBody(body)
  if (!json.ok) return { problem: { ...REFUSALS.bad_json, detail: json.message } }
  const name = request.headersDistinct['x-github-event']?.[0] ?? ''
  if (target.scheme === 'github' && !githubEventMatchesBody(name, json.value))
    return { problem: REFUSALS.wrong_event }
  return { value: json.value }
}

/** A button's form has all in one field `payload`, as JSON. */
function readForm(body: Buffer): { value: unknown } | { problem: Problem } {
  const fields = new URLSearchParams(body.toString('utf8'))
  const inside = fields.get('payload')
  if (inside === null) return { value: Object.fromEntries(fields) }
  const json = parseJsonBody(Buffer.from(inside))
  return json.ok ? { value: json.value } : { problem: { ...REFUSALS.bad_json, detail: json.message } }
}

/** The text that Slack and Lark want back when they check an address; null for everything else. */
export function challengeOf(target: Pick<HookTarget, 'scheme'>, payload: unknown): string | null {
  if (target.scheme !== 'slack' && target.scheme !== 'lark') return null
  if (Reflect.get(Object(payload), 'type') !== 'url_verification') return null
  const challenge: unknown = Reflect.get(Object(payload), 'challenge')
  return typeof challenge === 'string' && challenge.length <= 1_000 ? challenge : null
}
