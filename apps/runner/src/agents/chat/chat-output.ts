import { randomUUID } from 'node:crypto'
import type { ChatAnswer } from './chat-answer.ts'
import type { ChatFailure } from './chat-failure.ts'
import type { ChatTokens } from './chat-services.ts'

/** What the chat agent prints: the stream-json of Claude Code, so that the runner reads it like the real thing. */
export type ChatOutput = {
  start(): void
  /** A piece of the answer; pieces are joined to paragraphs. */
  piece(kind: 'text' | 'thinking', text: string): void
  retry(attempt: number, failure: ChatFailure): void
  /** A request begins; what the one under way has used so far, for the run's budget. */
  asked(): void
  used(tokens: ChatTokens): void
  done(answer: ChatAnswer): void
  failed(failure: ChatFailure): void
  lost(): void
}

/** A paragraph is passed on when it is whole; code is never cut, and nothing is held longer than this. */
const HELD_CHARACTERS = 16 * 1024

export function createChatOutput(
  sessionId: string,
  model: string,
  write: (line: string) => void,
): ChatOutput {
  let held = ''
  let kind: 'text' | 'thinking' = 'text'
  let id = ''
  const event = (fields: object) => write(`${JSON.stringify({ ...fields, session_id: sessionId })}\n`)
  const say = (text: string) => {
    if (text.trim() === '') return
    const block = kind === 'text' ? { type: 'text', text } : { type: 'thinking', thinking: text }
    event({
      type: 'assistant',
      message: { id, role: 'assistant', content: [block] },
      parent_tool_use_id: null,
    })
  }
  const flush = () => {
    say(held)
    held = ''
  }
  const result = (fields: object) => {
    flush()
    event({ type: 'result', num_turns: 1, permission_denials: [], ...fields })
  }
  return {
    start: () => event({ type: 'system', subtype: 'init', model, tools: [] }),
    piece(next, text) {
      if (next !== kind) flush()
      kind = next
      held += text
      const end = held.length > HELD_CHARACTERS ? held.length : paragraphEnd(held)
      if (end === 0) return
      say(held.slice(0, end))
      held = held.slice(end)
    },
    asked() {
      flush()
      id = randomUUID()
    },
    used(tokens) {
      const usage = { ...usageOf(tokens), output_counts: true }
      event({
        type: 'assistant',
        message: { id, role: 'assistant', content: [], usage },
        parent_tool_use_id: null,
      })
    },
    retry(attempt, { status, message }) {
      flush()
      event({ type: 'system', subtype: 'api_retry', attempt, error_status: status, error: message })
    },
    done({ text, tokens, stop }) {
      const isRefusal = stop === 'refusal'
      result({
        subtype: isRefusal ? 'error_during_execution' : 'success',
        is_error: isRefusal,
        terminal_reason: isRefusal ? 'api_error' : 'completed',
        result: isRefusal ? `The model refused to answer. ${text}`.trim() : text,
        usage: usageOf(tokens),
      })
    },
    failed({ status, message, waitMs }) {
      if (status === 429 && waitMs !== null) {
        const resetsAt = Math.ceil((Date.now() + waitMs) / 1_000)
        event({ type: 'rate_limit_event', rate_limit_info: { status: 'rejected', resetsAt } })
      }
      result({
        subtype: 'error_during_execution',
        is_error: true,
        terminal_reason: 'api_error',
        api_error_status: status,
        result: message,
      })
    },
    lost() {
      const errors = [`No conversation found with the id ${sessionId}.`]
      result({ subtype: 'error_during_execution', is_error: true, terminal_reason: 'failed', errors })
    },
  }
}

const usageOf = ({ input, output, cached }: ChatTokens) => ({
  input_tokens: input - cached,
  output_tokens: output,
  cache_read_input_tokens: cached,
})

/** Where the last whole paragraph ends that is not inside a block of code; 0 when there is none. */
function paragraphEnd(text: string): number {
  const end = text.lastIndexOf('\n\n')
  if (end === -1) return 0
  const fences = text.slice(0, end).match(/^```/gm)?.length ?? 0
  return fences % 2 === 0 ? end + 2 : 0
}
