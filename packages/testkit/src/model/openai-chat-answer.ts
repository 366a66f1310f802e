import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Answer } from './dialect.ts'
import type { ToolDirective } from './directives.ts'
import type { ChatBody } from './openai-chat.ts'
import type { Turn } from './turn.ts'
import { isUsedUp, QUOTA_MS } from './used-up.ts'

/** Writes one answer of Chat Completions: as server-sent events when the request says `stream`, else as one object. */
export function openChatAnswer(body: ChatBody, response: ServerResponse, turn: Turn): Answer {
  const id = `chatcmpl-${randomUUID()}`
  const said = { text: '', thinking: '' }
  const calls: object[] = []
  let kind: keyof typeof said = 'text'
  const usage = {
    prompt_tokens: turn.usage.inputTokens,
    completion_tokens: turn.usage.outputTokens,
    total_tokens: turn.usage.inputTokens + turn.usage.outputTokens,
  }
  const head = (object: string) => ({
    id,
    object,
    created: Math.floor(Date.now() / 1_000),
    model: body.model,
  })
  const send = (fields: object) => {
    if (!body.stream) return
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`data: ${JSON.stringify({ ...head('chat.completion.chunk'), ...fields })}\n\n`)
  }
  const delta = (fields: object, finish: string | null = null) =>
    send({ choices: [{ index: 0, delta: { role: 'assistant', ...fields }, finish_reason: finish }] })

  return {
    open(next) {
      kind = next
      delta({ content: '' })
    },
    add(text) {
      said[kind] += text
      delta(kind === 'text' ? { content: text } : { reasoning_content: text })
    },
    call(tool) {
      const made = { id: `call_${randomUUID()}`, type: 'function', function: opencodeCall(tool) }
      calls.push(made)
      delta({ tool_calls: [{ index: 0, ...made }] })
    },
    fail(status, message) {
      const usedUp = isUsedUp(status, turn)
      const type = status < 500 ? 'invalid_request_error' : 'server_error'
      const error = usedUp
        ? {
            message: 'You exceeded your current quota.',
            type: 'insufficient_quota',
            code: 'insufficient_quota',
          }
        : { message, type, param: null, code: status === 401 ? 'invalid_api_key' : null }
      if (response.headersSent) {
        response.end(`data: ${JSON.stringify({ error })}\n\n`)
        return
      }
      const wait = status === 429 ? { 'retry-after': String(usedUp ? QUOTA_MS / 1_000 : 1) } : {}
      const headers = { 'content-type': 'application/json', ...wait }
      response.writeHead(status, headers).end(JSON.stringify({ error }))
    },
    end() {
      const finish = turn.stopReason ?? (calls.length > 0 ? 'tool_calls' : 'stop')
      if (body.stream) {
        delta({}, finish)
        send({ choices: [], usage })
        response.end('data: [DONE]\n\n')
        return
      }
      const message = {
        role: 'assistant',
        content: said.text,
        ...(calls.length > 0 && { tool_calls: calls }),
      }
      const choices = [{ index: 0, message, finish_reason: finish }]
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ ...head('chat.completion'), choices, usage }))
    },
  }
}

/** The call that brings a directive about with opencode's tools. */
function opencodeCall(directive: ToolDirective): { name: string; arguments: string } {
  if (directive.kind === 'tool') return { name: directive.name, arguments: JSON.stringify(directive.input) }
  if (directive.kind === 'shell') {
    const input = { command: directive.command, description: 'As told' }
    return { name: 'bash', arguments: JSON.stringify(input) }
  }
  return {
    name: 'write',
    arguments: JSON.stringify({ filePath: directive.path, content: directive.content }),
  }
}
