import { type ReceivedRequest, startTestReceiver, type TestReceiver } from './test-receiver.ts'

type Message = { channel: string; ts: string; text: string; metadata?: unknown }

export interface StandInSlack extends AsyncDisposable {
  /** For `apiUrl`. */
  apiUrl: string
  /** The address of an incoming webhook. */
  webhookUrl: string
  token: string
  channel: string
  posted: Message[]
  calls: string[]
  /** The next call of a method ends like this: an error of Slack, or without an answer after (or before) it took effect. */
  fail(
    method: string,
    how: { error: string } | { status: number; retryAfter?: number } | 'lost_after' | 'lost_before',
  ): void
  server: TestReceiver
}

const TOKEN = 'xoxb-stand-in-token'
const CHANNEL = 'C0123456789'
const LONGEST = 40_000

/**
 * Answers like Slack's Web API and incoming webhooks, and checks what Slack checks: method, token, content type with its
 * charset, known channel, text that is not empty or too long, unescaped mentions. Metadata comes back in the history.
 */
export async function startStandInSlack(): Promise<StandInSlack> {
  const server = await startTestReceiver()
  const posted: Message[] = []
  const calls: string[] = []
  const failures = new Map<string, Parameters<StandInSlack['fail']>[1][]>()
  let clock = 1_700_000_000

  function post(channel: string, text: string, metadata?: unknown): Message {
    clock += 1
    const message = {
      channel,
      ts: `${Math.floor(Date.now() / 1000)}.${String(clock).slice(-6)}`,
      text,
      ...(metadata ? { metadata } : {}),
    }
    posted.push(message)
    return message
  }

  function answer(method: string, request: ReceivedRequest): object | string {
    const isHook = method === 'hook'
    if (!isHook && request.headers.authorization !== `Bearer ${TOKEN}`)
      return { ok: false, error: 'invalid_auth' }
    if (!request.headers['content-type']?.startsWith('application/json')) {
      return isHook ? 'invalid_payload' : { ok: false, error: 'invalid_form_data' }
    }
    const body = JSON.parse(request.body) as Record<string, unknown>
    const text = typeof body.text === 'string' ? body.text : ''
    if (method !== 'conversations.history' && text === '')
      return isHook ? 'no_text' : { ok: false, error: 'no_text' }
    if (text.length > LONGEST) return isHook ? 'invalid_payload' : { ok: false, error: 'msg_too_long' }
    if (isHook) {
      post('hook', text)
      return 'ok'
    }
    if (body.channel !== CHANNEL) return { ok: false, error: 'channel_not_found' }
    if (method === 'chat.postMessage') {
      const message = post(CHANNEL, text, body.metadata)
      return { ok: true, channel: CHANNEL, ts: message.ts, message: { text } }
    }
    if (method === 'conversations.history') {
      const since = Number(body.oldest ?? 0)
      const messages = posted.filter((one) => one.channel === CHANNEL && Number(one.ts) >= since).toReversed()
      return {
        ok: true,
        messages: body.include_all_metadata
          ? messages
          : messages.map(({ channel, ts, text }) => ({ channel, ts, text })),
        has_more: false,
      }
    }
    return { ok: false, error: 'unknown_method' }
  }

  server.always((request, response) => {
    const method = request.path.startsWith('/services/') ? 'hook' : request.path.replace('/api/', '')
    calls.push(method)
    const failure = failures.get(method)?.shift()
    if (failure === 'lost_before') return void response.socket?.destroy()
    if (failure && failure !== 'lost_after' && 'status' in failure) {
      const headers = failure.retryAfter === undefined ? {} : { 'retry-after': String(failure.retryAfter) }
      return void response.writeHead(failure.status, headers).end()
    }
    if (failure && failure !== 'lost_after') return send({ ok: false, error: failure.error })
    const said = answer(method, request)
    if (failure === 'lost_after') return void response.socket?.destroy()
    send(said)

    function send(what: object | string) {
      if (typeof what === 'string') response.writeHead(what === 'ok' ? 200 : 400).end(what)
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(what))
    }
  })
  return {
    apiUrl: `${server.url}/api`,
    webhookUrl: `${server.url}/services/T0/B0/secret-part-of-the-address`,
    token: TOKEN,
    channel: CHANNEL,
    posted,
    calls,
    fail: (method, how) => failures.set(method, [...(failures.get(method) ?? []), how]),
    server,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
