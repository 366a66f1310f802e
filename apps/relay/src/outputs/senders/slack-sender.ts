import type {
  ClaimedDispatch,
  OutputSender,
  ReadBackResult,
  SendContext,
  SendResult,
} from '../output-sender.ts'
import { retryAfterMs } from './retry-after.ts'
import { readSlackError } from './slack-errors.ts'
import { slackText } from './slack-text.ts'

const API = 'https://slack.com/api'
const EVENT_TYPE = 'baton_dispatch'
/** Their clock and ours differ a little. */
const CLOCK_SLACK_S = 120

/**
 * Posts through an incoming webhook, or as a bot with chat.postMessage. A bot's message carries the dispatch in its
 * metadata, so that a lost answer is looked up in the channel (scope channels:history) before anything is repeated.
 */
export const slackSender: OutputSender<'slack'> = {
  kind: 'slack',
  send: (dispatch, context) =>
    dispatch.config.token === undefined ? postToWebhook(dispatch, context) : postAsBot(dispatch, context),
  async readBack(dispatch, context): Promise<ReadBackResult> {
    if (dispatch.config.token === undefined) {
      return { result: 'cannot', why: 'An incoming webhook cannot be asked what it has posted.' }
    }
    return findPosted(dispatch, context)
  },
}

async function postToWebhook(dispatch: ClaimedDispatch<'slack'>, context: SendContext): Promise<SendResult> {
  const answer = await context.outbound.request({
    url: dispatch.config.webhookUrl ?? '',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: slackText(context.message, context.facts.run.url), unfurl_links: false }),
    signal: context.signal,
  })
  const failure = withoutAnswer(answer)
  if (failure) return failure
  const { status, headers, body } = answer as Extract<typeof answer, { result: 'response' }>
  if (status === 200) return { result: 'sent' }
  const afterMs = retryAfterMs(headers['retry-after'], context.now())
  if (status === 429) return readSlackError('ratelimited', afterMs)
  if (status >= 500) return { result: 'retry', why: `Slack answered ${status}.`, afterMs }
  const said = /^[a-z_]{3,60}$/.exec(body.trim())?.[0]
  return said
    ? readSlackError(said, afterMs)
    : { result: 'failed', why: `Slack answered ${status}. Is this the address of an incoming webhook?` }
}

async function postAsBot(dispatch: ClaimedDispatch<'slack'>, context: SendContext): Promise<SendResult> {
  const answer = await ask(dispatch, context, 'chat.postMessage', {
    channel: dispatch.config.channel,
    text: slackText(context.message, context.facts.run.url),
    unfurl_links: false,
    metadata: { event_type: EVENT_TYPE, event_payload: { id: dispatch.id } },
  })
  if ('failure' in answer) return answer.failure
  const { channel, ts } = answer.said as { channel?: string; ts?: string }
  return { result: 'sent', externalId: `${channel ?? dispatch.config.channel}:${ts ?? ''}` }
}

async function findPosted(dispatch: ClaimedDispatch<'slack'>, context: SendContext): Promise<ReadBackResult> {
  const answer = await ask(dispatch, context, 'conversations.history', {
    channel: dispatch.config.channel,
    oldest: String(Math.floor(dispatch.firstTriedAt / 1_000) - CLOCK_SLACK_S),
    include_all_metadata: true,
    limit: 200,
  })
  if ('failure' in answer) {
    const { failure } = answer
    if (failure.result === 'failed')
      return { result: 'cannot', why: `The channel cannot be read: ${failure.why}` }
    return { result: 'unknown', why: failure.why, ...('afterMs' in failure && { afterMs: failure.afterMs }) }
  }
  type Posted = { ts?: string; metadata?: { event_type?: string; event_payload?: { id?: string } } }
  const { messages, has_more: hasMore } = answer.said as { messages?: Posted[]; has_more?: boolean }
  const found = messages?.find(
    ({ metadata }) => metadata?.event_type === EVENT_TYPE && metadata.event_payload?.id === dispatch.id,
  )
  if (found) return { result: 'sent', externalId: `${dispatch.config.channel}:${found.ts ?? ''}` }
  return hasMore
    ? { result: 'cannot', why: 'The channel has more messages since than can be looked through.' }
    : { result: 'absent' }
}

type Failure = Exclude<SendResult, { result: 'sent' }>

async function ask(
  dispatch: ClaimedDispatch<'slack'>,
  context: SendContext,
  method: string,
  body: object,
): Promise<{ failure: Failure } | { said: Record<string, unknown> }> {
  const answer = await context.outbound.request({
    url: `${dispatch.config.apiUrl ?? API}/${method}`,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      authorization: `Bearer ${dispatch.config.token}`,
    },
    body: JSON.stringify(body),
    signal: context.signal,
  })
  const failure = withoutAnswer(answer)
  if (failure) return { failure }
  const { status, headers, body: text } = answer as Extract<typeof answer, { result: 'response' }>
  const afterMs = retryAfterMs(headers['retry-after'], context.now())
  if (status === 429) return { failure: readSlackError('ratelimited', afterMs) as Failure }
  if (status !== 200) return { failure: { result: 'retry', why: `Slack answered ${status}.`, afterMs } }
  const said = parse(text)
  if (said === null)
    return { failure: { result: 'unknown', why: 'Slack answered with something that is not JSON.' } }
  return said.ok === true
    ? { said }
    : {
        failure: readSlackError(
          typeof said.error === 'string' ? said.error : 'no reason',
          afterMs,
        ) as Failure,
      }
}

function withoutAnswer(answer: Awaited<ReturnType<SendContext['outbound']['request']>>): Failure | null {
  switch (answer.result) {
    case 'response':
      return null
    case 'refused':
      return { result: 'failed', why: answer.why }
    case 'unreachable':
      return { result: 'retry', why: answer.why }
    case 'lost':
      return { result: 'unknown', why: answer.why }
  }
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
