import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { codexCall } from './codex-tools.ts'
import type { Answer } from './dialect.ts'
import type { ResponsesBody } from './openai-responses.ts'
import type { Turn } from './turn.ts'
import { isUsedUp, QUOTA_MS } from './used-up.ts'

type Item = Record<string, unknown> & { id: string; type: string }

/** Writes one answer of the Responses API: as server-sent events when the request says `stream`, else as one object. */
export function openResponsesAnswer(body: ResponsesBody, response: ServerResponse, turn: Turn): Answer {
  const output: Item[] = []
  const id = newId('resp')
  let said = ''
  let sequence = 0
  const whole = (more: object) => ({
    ...{ id, object: 'response', created_at: Math.floor(Date.now() / 1_000), model: body.model },
    ...{ status: 'in_progress', output: [], usage: null, error: null, incomplete_details: null },
    ...more,
  })
  const send = (type: string, fields: object) => {
    if (!body.stream) return
    response.write(
      `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...fields })}\n\n`,
    )
  }
  const begin = () => {
    if (!body.stream || response.headersSent) return
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': newId('req') })
    send('response.created', { response: whole({}) })
  }
  const push = (item: Item) => {
    begin()
    close()
    output.push(item)
    said = ''
    send('response.output_item.added', { output_index: output.length - 1, item })
  }
  const close = () => {
    const last = output.at(-1)
    if (!last || last.status === 'completed') return
    if (last.type === 'message') last.content = [{ type: 'output_text', text: said, annotations: [] }]
    if (last.type === 'reasoning') last.summary = [{ type: 'summary_text', text: said }]
    last.status = 'completed'
    send('response.output_item.done', { output_index: output.length - 1, item: last })
  }

  return {
    open(kind) {
      if (kind === 'thinking') push({ id: newId('rs'), type: 'reasoning', summary: [] })
      else push({ id: newId('msg'), type: 'message', role: 'assistant', status: 'in_progress', content: [] })
      const at = { item_id: output.at(-1)?.id, output_index: output.length - 1 }
      if (kind === 'thinking')
        send('response.reasoning_summary_part.added', {
          ...at,
          summary_index: 0,
          part: { type: 'summary_text', text: '' },
        })
      else
        send('response.content_part.added', {
          ...at,
          content_index: 0,
          part: { type: 'output_text', text: '', annotations: [] },
        })
    },
    add(text) {
      said += text
      const last = output.at(-1)
      const at = { item_id: last?.id, output_index: output.length - 1, delta: text }
      if (last?.type === 'reasoning')
        send('response.reasoning_summary_text.delta', { ...at, summary_index: 0 })
      else send('response.output_text.delta', { ...at, content_index: 0 })
    },
    call(tool) {
      push({ id: newId('fc'), call_id: newId('call'), status: 'in_progress', ...codexCall(tool, body) })
    },
    fail(status, text) {
      const error = errorOf(status, text, turn)
      if (response.headersSent) {
        send('response.failed', { response: whole({ status: 'failed', error }) })
        response.end()
        return
      }
      const headers = { 'content-type': 'application/json', 'x-request-id': newId('req') }
      const retry = status === 429 && !isUsedUp(status, turn) ? { 'retry-after': '1' } : {}
      response.writeHead(status, { ...headers, ...retry }).end(JSON.stringify({ error }))
    },
    end() {
      begin()
      close()
      const incomplete = turn.stopReason === undefined ? null : { reason: turn.stopReason }
      const done = whole({
        output,
        status: incomplete === null ? 'completed' : 'incomplete',
        incomplete_details: incomplete,
        usage: {
          input_tokens: turn.usage.inputTokens,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: turn.usage.outputTokens,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: turn.usage.inputTokens + turn.usage.outputTokens,
        },
      })
      if (!body.stream) {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(done))
        return
      }
      send(incomplete === null ? 'response.completed' : 'response.incomplete', { response: done })
      response.end()
    },
  }
}

/** What OpenAI says: a used-up subscription has its own type and the time when it is free again. */
function errorOf(status: number, message: string, turn: Turn): object {
  if (isUsedUp(status, turn)) {
    return {
      type: 'usage_limit_reached',
      message: 'The usage limit has been reached',
      plan_type: 'plus',
      resets_at: Math.floor((Date.now() + QUOTA_MS) / 1_000),
      resets_in_seconds: QUOTA_MS / 1_000,
    }
  }
  return {
    message,
    type: ERROR_TYPES[status] ?? 'server_error',
    param: null,
    code: ERROR_CODES[status] ?? null,
  }
}

const ERROR_TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'invalid_request_error',
  403: 'invalid_request_error',
  404: 'invalid_request_error',
  429: 'requests',
}
const ERROR_CODES: Record<number, string> = { 401: 'invalid_api_key', 429: 'rate_limit_exceeded' }

function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`
}
