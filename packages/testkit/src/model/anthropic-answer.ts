import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { MessagesBody } from './anthropic-messages.ts'
import { type ToolUse, toolUseFor } from './claude-tools.ts'
import type { Answer } from './dialect.ts'
import type { Turn } from './turn.ts'
import { isUsedUp, QUOTA_MS } from './used-up.ts'

type ContentBlock =
  | { type: 'text'; text: string }
  | { type: 'thinking'; thinking: string; signature: string }
  | ToolUse

/** Writes one answer of the Messages API: as server-sent events when the request says `stream`, else as one object. */
export function openAnthropicAnswer(body: MessagesBody, response: ServerResponse, turn: Turn): Answer {
  const content: ContentBlock[] = []
  const message = { id: newId('msg'), type: 'message', role: 'assistant', model: body.model }
  const send = (type: string, fields: object) => {
    if (!body.stream) return
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`)
  }
  const begin = () => {
    if (!body.stream || response.headersSent) return
    response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': newId('req') })
    const usage = { input_tokens: turn.usage.inputTokens, output_tokens: 1 }
    send('message_start', {
      message: { ...message, content: [], stop_reason: null, stop_sequence: null, usage },
    })
  }
  const close = () => {
    const last = content.at(-1)
    if (!last) return
    const index = content.length - 1
    if (last.type === 'thinking') {
      send('content_block_delta', { index, delta: { type: 'signature_delta', signature: last.signature } })
    }
    send('content_block_stop', { index })
  }
  const push = (block: ContentBlock, empty: object) => {
    begin()
    close()
    content.push(block)
    send('content_block_start', { index: content.length - 1, content_block: empty })
  }

  return {
    open(kind) {
      if (kind === 'text') push({ type: 'text', text: '' }, { type: 'text', text: '' })
      else
        push(
          { type: 'thinking', thinking: '', signature: newId('sig') },
          { type: 'thinking', thinking: '', signature: '' },
        )
    },
    add(text) {
      const last = content.at(-1)
      const index = content.length - 1
      if (last?.type === 'text') {
        last.text += text
        send('content_block_delta', { index, delta: { type: 'text_delta', text } })
      } else if (last?.type === 'thinking') {
        last.thinking += text
        send('content_block_delta', { index, delta: { type: 'thinking_delta', thinking: text } })
      }
    },
    call(tool) {
      const block = toolUseFor(tool, body)
      push(block, { ...block, input: {} })
      const partial = { type: 'input_json_delta', partial_json: JSON.stringify(block.input) }
      send('content_block_delta', { index: content.length - 1, delta: partial })
    },
    fail(status, text) {
      const error = {
        type: errorTypes[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error'),
        message: text,
      }
      if (response.headersSent) {
        send('error', { error })
        response.end()
      } else {
        const headers = { 'content-type': 'application/json', 'request-id': newId('req') }
        const quota = isUsedUp(status, turn) ? quotaHeaders() : {}
        response.writeHead(status, { ...headers, ...quota }).end(JSON.stringify({ type: 'error', error }))
      }
    },
    end() {
      const reason = turn.stopReason ?? (content.at(-1)?.type === 'tool_use' ? 'tool_use' : 'end_turn')
      const stop = { stop_reason: reason, stop_sequence: null }
      const counts = { input_tokens: turn.usage.inputTokens, output_tokens: turn.usage.outputTokens }
      if (body.stream) {
        begin()
        close()
        send('message_delta', { delta: stop, usage: counts })
        send('message_stop', {})
        response.end()
      } else {
        response.writeHead(200, { 'content-type': 'application/json', 'request-id': newId('req') })
        response.end(JSON.stringify({ ...message, content, ...stop, usage: counts }))
      }
    },
  }
}

/** What a used-up subscription is told with its 429. */
function quotaHeaders(): Record<string, string> {
  const resetsAt = String(Math.floor((Date.now() + QUOTA_MS) / 1_000))
  return {
    'retry-after': String(QUOTA_MS / 1_000),
    'anthropic-ratelimit-unified-status': 'rejected',
    'anthropic-ratelimit-unified-reset': resetsAt,
    'anthropic-ratelimit-unified-representative-claim': 'five_hour',
    'anthropic-ratelimit-unified-5h-status': 'rejected',
    'anthropic-ratelimit-unified-5h-reset': resetsAt,
  }
}

const errorTypes: Record<number, string> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}

function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`
}
