import type { ServerResponse } from 'node:http'
import type { Conversation, Dialect } from './dialect.ts'
import { openResponsesAnswer } from './openai-responses-answer.ts'

export interface ResponsesBody {
  model: string
  stream?: boolean
  instructions?: string
  input: string | ResponsesItem[]
  tools?: ResponsesTool[]
  prompt_cache_key?: string
}

export interface ResponsesTool {
  type: string
  name?: string
  /** The tools of a namespace. */
  tools?: ResponsesTool[]
}

export interface ResponsesItem {
  type?: string
  role?: 'user' | 'assistant' | 'developer' | 'system'
  content?: string | { type: string; text?: string }[]
  /** Of a tool's result. */
  call_id?: string
  /** Of the item by which Codex offers tools in its "code mode". */
  tools?: ResponsesTool[]
}

/** The OpenAI Responses API as Codex and plain clients use it: streaming and whole answers, and compaction. */
export const openaiResponses: Dialect<ResponsesBody> = {
  matches: (method, path) => method === 'POST' && /\/responses(\/compact)?$/.test(path),

  answerPlainly(path, body, response) {
    if (!path.endsWith('/compact')) return false
    sendJson(response, { output: itemsOf(body).filter((item) => promptOf(item) !== '') })
    return true
  },

  read(body): Conversation {
    const { prompts, results } = readPrompts(itemsOf(body))
    return {
      model: body.model,
      system: systemText(body),
      prompts,
      resultsSinceLastPrompt: results,
      key: body.prompt_cache_key ?? '',
    }
  },

  answer: openResponsesAnswer,
}

/** A script that runs in Codex's "code mode" may have several outputs: they count as one result. */
function readPrompts(items: ResponsesItem[]): { prompts: string[]; results: number } {
  const prompts: string[] = []
  let results = new Set<string>()
  for (const item of items) {
    if (item.type?.endsWith('_call_output')) results.add(item.call_id ?? '')
    const prompt = promptOf(item)
    if (prompt === '') continue
    prompts.push(prompt)
    results = new Set()
  }
  return { prompts, results: results.size }
}

function promptOf(item: ResponsesItem): string {
  return item.role === 'user' ? withoutContext(textOf(item)) : ''
}

/** Codex tells of the machine, of AGENTS.md and of skills in user messages of their own. */
function withoutContext(text: string): string {
  return text
    .replace(/<(environment_context|user_instructions|INSTRUCTIONS|skill|turn_aborted)>[\s\S]*?<\/\1>/g, '')
    .replace(/^# AGENTS\.md instructions.*$/m, '')
    .trim()
}

/** Codex sends its own instructions and the agent's as developer messages, plain clients as `instructions`. */
function systemText(body: ResponsesBody): string {
  const told = itemsOf(body).filter(({ role }) => role === 'developer' || role === 'system')
  return [body.instructions ?? '', ...told.map(textOf)].join('\n')
}

function itemsOf({ input }: ResponsesBody): ResponsesItem[] {
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : input
}

function textOf({ content }: ResponsesItem): string {
  return typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('\n')
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
