import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Answer } from './dialect.ts'
import type { ToolDirective } from './directives.ts'
import type { GeminiBody, Part } from './gemini-generate.ts'
import type { Turn } from './turn.ts'

/** Writes one answer of generateContent as one object, or of streamGenerateContent as server-sent events. */
export function openGeminiAnswer(
  { model, streams }: GeminiBody,
  response: ServerResponse,
  turn: Turn,
): Answer {
  const parts: Part[] = []
  let kind: 'text' | 'thinking' = 'text'
  const responseId = randomUUID()
  const chunk = (content: Part[], finishReason?: string) => ({
    candidates: [
      { content: { role: 'model', parts: content }, index: 0, ...(finishReason && { finishReason }) },
    ],
    usageMetadata: {
      promptTokenCount: turn.usage.inputTokens,
      candidatesTokenCount: turn.usage.outputTokens,
      totalTokenCount: turn.usage.inputTokens + turn.usage.outputTokens,
    },
    modelVersion: model,
    responseId,
  })
  const send = (content: Part[], finishReason?: string) => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`data: ${JSON.stringify(chunk(content, finishReason))}\n\n`)
  }
  const push = (part: Part) => {
    parts.push(part)
    if (streams) send([part])
  }

  return {
    open(next) {
      kind = next
    },
    add: (text) => push(kind === 'thinking' ? { text, thought: true } : { text }),
    call: (tool) => push({ functionCall: geminiCall(tool) }),
    fail(status, message) {
      const error = {
        code: status,
        message,
        status: STATUS_WORDS[status] ?? 'INTERNAL',
        details: [] as object[],
      }
      if (status === 429) Object.assign(error, quotaFailure(turn))
      if (response.headersSent) response.end(`data: ${JSON.stringify({ error })}\n\n`)
      else
        response
          .writeHead(status, { 'content-type': 'application/json' })
          .end(JSON.stringify(streams ? [{ error }] : { error }))
    },
    end() {
      const reason = turn.stopReason ?? 'STOP'
      if (streams) {
        send([], reason)
        response.end()
      } else {
        response.writeHead(200, { 'content-type': 'application/json' })
        response.end(JSON.stringify(chunk(parts, reason)))
      }
    },
  }
}

/**
 * What Google says with a 429: a failure that is to last is the quota of the day, which comes back in an hour; one that
 * happens only so many times is the quota of the minute.
 */
function quotaFailure({ steps }: Turn) {
  const lasts = steps.some((step) => step.kind === 'fail' && step.times === Number.POSITIVE_INFINITY)
  const [period, retryDelay] = lasts ? ['Day', '3600s'] : ['Minute', '1s']
  return {
    message: `You exceeded your current quota. Please retry in ${retryDelay}.`,
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
        violations: [
          {
            quotaMetric: 'generativelanguage.googleapis.com/generate_content_requests',
            quotaId: `GenerateRequestsPer${period}PerProjectPerModel`,
          },
        ],
      },
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
    ],
  }
}

const STATUS_WORDS: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
}

function geminiCall(directive: ToolDirective): { name: string; args: Record<string, unknown> } {
  if (directive.kind === 'shell') {
    return { name: 'run_shell_command', args: { command: directive.command, description: 'As told.' } }
  }
  if (directive.kind === 'tool') return { name: directive.name, args: directive.input }
  return { name: 'write_file', args: { file_path: directive.path, content: directive.content } }
}
