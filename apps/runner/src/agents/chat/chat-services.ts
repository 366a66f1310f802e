import { countOf, type Fields, fieldsOf, listOf, textOf } from '../json-fields.ts'
import type { ChatModel, ChatService } from './chat-model.ts'

export type ChatTurn = { role: 'user' | 'assistant'; text: string }
export type ChatRequest = { url: string; headers: Record<string, string>; body: object }
export type ChatTokens = { input: number; output: number; cached: number }

/** What one server-sent event adds to an answer. `stop`: why the model ended. */
export type ChatPiece = {
  text?: string
  thinking?: string
  tokens?: Partial<ChatTokens>
  stop?: 'end' | 'length' | 'refusal'
  error?: string
}

type Service = {
  request(model: ChatModel, key: string | null, system: string, turns: readonly ChatTurn[]): ChatRequest
  read(event: Fields): ChatPiece
}

/** The longest answer that is asked for at once; a longer one is asked for in parts. */
const MOST_TOKENS = 8_192

/** One model service each: what is sent, and what the events of its stream mean. */
export const CHAT_SERVICES: Record<ChatService, Service> = {
  anthropic: {
    request: ({ baseUrl, model }, key, system, turns) => ({
      url: `${baseUrl}/v1/messages`,
      headers: { 'anthropic-version': '2023-06-01', ...(key !== null && { 'x-api-key': key }) },
      body: {
        model,
        max_tokens: MOST_TOKENS,
        stream: true,
        ...(system !== '' && { system }),
        messages: turns.map(({ role, text }) => ({ role, content: text })),
      },
    }),
    read: readAnthropic,
  },
  openai: {
    request: ({ baseUrl, model }, key, system, turns) => ({
      url: `${baseUrl}/responses`,
      headers: bearer(key),
      body: {
        model,
        stream: true,
        store: false,
        max_output_tokens: MOST_TOKENS,
        ...(system !== '' && { instructions: system }),
        input: turns.map(({ role, text }) => ({
          type: 'message',
          role,
          content: [{ type: role === 'user' ? 'input_text' : 'output_text', text }],
        })),
      },
    }),
    read: readResponses,
  },
  'openai-compatible': {
    request: ({ baseUrl, model }, key, system, turns) => ({
      url: `${baseUrl}/chat/completions`,
      headers: bearer(key),
      body: {
        model,
        stream: true,
        stream_options: { include_usage: true },
        messages: [
          ...(system === '' ? [] : [{ role: 'system', content: system }]),
          ...turns.map(({ role, text }) => ({ role, content: text })),
        ],
      },
    }),
    read: readCompletions,
  },
  google: {
    request: ({ baseUrl, model }, key, system, turns) => ({
      url: `${baseUrl}/v1beta/models/${encodeURIComponent(model)}:streamGenerateContent?alt=sse`,
      headers: key === null ? {} : { 'x-goog-api-key': key },
      body: {
        ...(system !== '' && { systemInstruction: { parts: [{ text: system }] } }),
        contents: turns.map(({ role, text }) => ({
          role: role === 'user' ? 'user' : 'model',
          parts: [{ text }],
        })),
        generationConfig: { maxOutputTokens: MOST_TOKENS },
      },
    }),
    read: readGemini,
  },
}

const bearer = (key: string | null): Record<string, string> =>
  key === null ? {} : { authorization: `Bearer ${key}` }

function readAnthropic(event: Fields): ChatPiece {
  const delta = fieldsOf(event.delta)
  switch (event.type) {
    case 'message_start':
      return { tokens: anthropicTokens(fieldsOf(fieldsOf(event.message).usage)) }
    case 'content_block_delta':
      return said(textOf(delta.text), textOf(delta.thinking))
    case 'message_delta': {
      const tokens = { output: countOf(fieldsOf(event.usage).output_tokens) }
      const reason = textOf(delta.stop_reason)
      return { tokens, ...(reason !== null && { stop: STOPS[reason] ?? 'end' }) }
    }
    case 'error':
      return { error: textOf(fieldsOf(event.error).message) ?? 'unknown' }
    default:
      return {}
  }
}

function anthropicTokens(usage: Fields): Partial<ChatTokens> {
  const cached = countOf(usage.cache_read_input_tokens)
  return { input: countOf(usage.input_tokens) + countOf(usage.cache_creation_input_tokens) + cached, cached }
}

function readResponses(event: Fields): ChatPiece {
  const answer = fieldsOf(event.response)
  switch (event.type) {
    case 'response.output_text.delta':
      return said(textOf(event.delta), null)
    case 'response.reasoning_summary_text.delta':
      return said(null, textOf(event.delta))
    case 'response.completed':
      return { tokens: responsesTokens(fieldsOf(answer.usage)), stop: 'end' }
    case 'response.incomplete': {
      const reason = textOf(fieldsOf(answer.incomplete_details).reason) ?? ''
      return { tokens: responsesTokens(fieldsOf(answer.usage)), stop: STOPS[reason] ?? 'length' }
    }
    case 'response.failed':
      return { error: textOf(fieldsOf(answer.error).message) ?? 'unknown' }
    case 'error':
      return { error: textOf(event.message) ?? textOf(fieldsOf(event.error).message) ?? 'unknown' }
    default:
      return {}
  }
}

function responsesTokens(usage: Fields): Partial<ChatTokens> {
  const cached = countOf(fieldsOf(usage.input_tokens_details).cached_tokens)
  return { input: countOf(usage.input_tokens), output: countOf(usage.output_tokens), cached }
}

function readCompletions(event: Fields): ChatPiece {
  if (event.error !== undefined) return { error: textOf(fieldsOf(event.error).message) ?? 'unknown' }
  const choice = fieldsOf(listOf(event.choices)[0])
  const delta = fieldsOf(choice.delta)
  const usage = fieldsOf(event.usage)
  const reason = textOf(choice.finish_reason)
  const cached = countOf(fieldsOf(usage.prompt_tokens_details).cached_tokens)
  return {
    ...said(textOf(delta.content), textOf(delta.reasoning_content)),
    ...(usage.prompt_tokens !== undefined && {
      tokens: { input: countOf(usage.prompt_tokens), output: countOf(usage.completion_tokens), cached },
    }),
    ...(reason !== null && { stop: STOPS[reason] ?? 'end' }),
  }
}

function readGemini(event: Fields): ChatPiece {
  if (event.error !== undefined) return { error: textOf(fieldsOf(event.error).message) ?? 'unknown' }
  const candidate = fieldsOf(listOf(event.candidates)[0])
  const parts = listOf(fieldsOf(candidate.content).parts).map(fieldsOf)
  const joined = (isThought: boolean) =>
    parts
      .filter((part) => (part.thought === true) === isThought)
      .map((part) => textOf(part.text) ?? '')
      .join('') || null
  const use = fieldsOf(event.usageMetadata)
  const reason = textOf(candidate.finishReason)
  const blocked = fieldsOf(event.promptFeedback).blockReason !== undefined
  return {
    ...said(joined(false), joined(true)),
    ...(use.promptTokenCount !== undefined && {
      tokens: {
        input: countOf(use.promptTokenCount),
        output: countOf(use.candidatesTokenCount) + countOf(use.thoughtsTokenCount),
        cached: countOf(use.cachedContentTokenCount),
      },
    }),
    ...(reason !== null && { stop: STOPS[reason] ?? 'end' }),
    ...(blocked && { stop: 'refusal' as const }),
  }
}

/** Reasons that are no plain end, in the words of all services. */
const STOPS: Record<string, 'length' | 'refusal'> = {
  max_tokens: 'length',
  max_output_tokens: 'length',
  length: 'length',
  MAX_TOKENS: 'length',
  refusal: 'refusal',
  content_filter: 'refusal',
  SAFETY: 'refusal',
  PROHIBITED_CONTENT: 'refusal',
}

function said(text: string | null, thinking: string | null): ChatPiece {
  return { ...(text && { text }), ...(thinking && { thinking }) }
}
