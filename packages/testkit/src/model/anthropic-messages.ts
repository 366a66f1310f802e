import type { ServerResponse } from 'node:http'
import { openAnthropicAnswer } from './anthropic-answer.ts'
import { isAid, type ToolUse } from './claude-tools.ts'
import type { Conversation, Dialect } from './dialect.ts'

export interface MessagesBody {
  model: string
  stream?: boolean
  system?: string | TextBlock[]
  messages: { role: 'user' | 'assistant' | 'system'; content: string | Block[] }[]
  tools?: { name: string; defer_loading?: boolean }[]
  metadata?: { user_id?: string }
}

export interface TextBlock {
  type: 'text'
  text: string
}
export type Block =
  | TextBlock
  | ToolUse
  | { type: 'tool_result'; tool_use_id: string; content?: string | TextBlock[]; is_error?: boolean }

/** The Anthropic Messages API as Claude Code uses it: streaming and whole answers, token counts, the list of models. */
export const anthropicMessages: Dialect<MessagesBody> = {
  matches: (_method, path) => /\/v1\/(messages(\/count_tokens)?|models(\/.*)?)$/.test(path),

  answerPlainly(path, body, response) {
    if (path.endsWith('/messages')) return false
    if (path.endsWith('/count_tokens'))
      sendJson(response, { input_tokens: Math.ceil(JSON.stringify(body).length / 4) })
    else sendJson(response, { data: [], has_more: false, first_id: null, last_id: null })
    return true
  },

  read(body): Conversation {
    const { prompts, results } = readPrompts(body)
    return {
      model: body.model,
      system: systemText(body),
      prompts,
      resultsSinceLastPrompt: results,
      key: body.metadata?.user_id ?? '',
    }
  },

  answer: openAnthropicAnswer,
}

/**
 * The user's own prompts, and the tool results since the last one. Claude Code joins consecutive user messages into one
 * with several blocks, puts its own notes into `<system-reminder>` blocks beside them, and passes on what the user says
 * in the middle of a turn as a system message.
 */
function readPrompts({ messages }: MessagesBody): { prompts: string[]; results: number } {
  const prompts: string[] = []
  let results = 0
  for (const { role, content } of messages) {
    for (const block of blocksOf(content)) {
      if (block.type === 'tool_result' && !isAid(block.tool_use_id)) results += 1
      const text = block.type === 'text' ? block.text : ''
      const prompt = role === 'user' ? withoutNotes(text) : role === 'system' ? saidMidTurn(text) : ''
      if (prompt) {
        prompts.push(prompt)
        results = 0
      }
    }
  }
  return { prompts, results }
}

function saidMidTurn(text: string): string {
  const said =
    /^The user sent a new message while you were working:\n([\s\S]*?)\n\nThis is how Claude Code/.exec(text)
  return said?.[1]?.trim() ?? ''
}

function withoutNotes(text: string): string {
  return text
    .replace(/<system-reminder>[\s\S]*?<\/system-reminder>/g, '')
    .replace(/^\[Request interrupted by user[^\]]*\]$/gm, '')
    .replace(/^Tool loaded\.$/, '')
    .trim()
}

function blocksOf(content: string | Block[]): Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content
}

/** Claude Code sends its instructions as the system prompt and the facts about the machine as a message with that role. */
function systemText({ system, messages }: MessagesBody): string {
  const notes = messages.filter(({ role }) => role === 'system').flatMap(({ content }) => blocksOf(content))
  return [textOf(system), ...notes.map((block) => (block.type === 'text' ? block.text : ''))].join('\n')
}

function textOf(content: string | TextBlock[] | undefined): string {
  return typeof content === 'string' ? content : (content ?? []).map((block) => block.text).join('\n')
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
