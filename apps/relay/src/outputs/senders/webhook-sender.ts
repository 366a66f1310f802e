import { CAUSE_HEADER, causeHeader } from '@baton/protocol'
import { signRequest } from '@baton/webhooks'
import type { ClaimedDispatch, OutputSender, SendContext, SendResult } from '../output-sender.ts'
import { toJsonBody } from '../write-message.ts'
import { retryAfterMs } from './retry-after.ts'

/** Headers that the request itself sets, or that would change how it is read. */
export const RESERVED_HEADERS = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'user-agent',
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
  CAUSE_HEADER,
])
const CONTENT_TYPES = {
  text: 'text/plain; charset=utf-8',
  markdown: 'text/markdown; charset=utf-8',
  json: 'application/json',
}

/**
 * Posts to somebody's server, signed as Standard Webhooks asks for (`webhook-id` is the same for every try, so that the
 * receiver can leave out what it has). 410 switches the output off.
 */
export const webhookSender: OutputSender<'webhook'> = {
  kind: 'webhook',
  async send(dispatch, context) {
    const { contentType, body } = bodyOf(dispatch, context)
    const answer = await context.outbound.request({
      url: dispatch.config.url,
      headers: {
        ...lowerCased(dispatch.config.headers ?? {}),
        'content-type': contentType,
        [CAUSE_HEADER]: causeHeader({ id: dispatch.runId ?? dispatch.id, hops: context.hops + 1 }),
        ...signRequest({
          scheme: 'standard',
          secret: dispatch.config.secret ?? '',
          id: dispatch.id,
          timestampMs: context.now(),
          body,
        }),
      },
      body,
      signal: context.signal,
    })
    if (answer.result === 'refused') return { result: 'failed', why: answer.why }
    if (answer.result === 'unreachable') return { result: 'retry', why: answer.why }
    if (answer.result === 'lost') return { result: 'unknown', why: answer.why }
    return readAnswer(answer, context.now())
  },
}

function bodyOf(dispatch: ClaimedDispatch<'webhook'>, { facts, message, now, moment }: SendContext) {
  if (dispatch.text.body !== null) return { contentType: CONTENT_TYPES[message.format], body: message.body }
  const type = moment === 'accepted' || moment === 'started' ? `run.${moment}` : 'run.finished'
  const body = JSON.stringify({ type, timestamp: new Date(now()).toISOString(), data: toJsonBody(facts) })
  return { contentType: CONTENT_TYPES.json, body }
}

function readAnswer(
  answer: { status: number; headers: Record<string, string>; body: string },
  now: number,
): SendResult {
  const { status, headers } = answer
  if (status >= 200 && status < 300) return { result: 'sent' }
  const said = answer.body.trim() === '' ? '' : ` It said: ${answer.body.trim().slice(0, 300)}`
  if (status === 410) {
    return {
      result: 'failed',
      why: `The receiver answered 410: it wants no more of this.${said}`,
      disables: true,
    }
  }
  if (status >= 300 && status < 400) {
    return {
      result: 'retry',
      why: `The receiver answered ${status} with another address, and redirects are not followed. Enter the address that it names.`,
    }
  }
  const afterMs = retryAfterMs(headers['retry-after'], now)
  return {
    result: 'retry',
    why: `The receiver answered ${status}.${said}`,
    ...(afterMs !== undefined && { afterMs }),
  }
}

const lowerCased = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
