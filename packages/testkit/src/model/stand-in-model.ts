import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { anthropicMessages } from './anthropic-messages.ts'
import type { Conversation, Dialect } from './dialect.ts'
import { type Directive, parseDirectives } from './directives.ts'
import { geminiGenerate } from './gemini-generate.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiResponses } from './openai-responses.ts'
import { playTurn } from './play-turn.ts'
import { nextTurn } from './turn.ts'

/** A request that reached the stand-in, kept for a test to look at. */
export interface ModelRequest {
  method: string
  /** With prefix, without query. */
  path: string
  headers: IncomingHttpHeaders
  model: string
  /** The whole system prompt: shows that an agent's instructions reached the model. */
  system: string
  prompts: string[]
  body: unknown
  /** The HTTP status, as soon as it is sent. */
  readonly status: number | undefined
  /** True when the client went away before the answer was complete: shows that a cancel reached the model. */
  aborted: boolean
  /** True when the stand-in dropped the connection, as `@cut` told it to. */
  cut: boolean
  startedAt: number
  endedAt?: number
}

export interface StandInModel extends AsyncDisposable {
  /** Base URL for the agent. Any path may be put behind it, to tell runs apart by the request's path. */
  url: string
  /** Every request so far, oldest first; entries of open requests go on changing. */
  requests(): ModelRequest[]
  /** Ends open answers and closes the port. May be called twice. */
  stop(): Promise<void>
}

/** The APIs spoken. */
const dialects: Dialect[] = [
  anthropicMessages as Dialect,
  openaiResponses as Dialect,
  openaiChat as Dialect,
  geminiGenerate as Dialect,
]

/**
 * Starts a model server on loopback that does what the last user prompt says (see `directives.ts`) and, without a
 * directive, answers with the number of user prompts so far, which proves that a session was resumed.
 *
 * It keeps no conversation. Its only memory is the request log and how often a limited `@fail` or `@cut` has happened.
 */
export async function startStandInModel({ port = 0 }: { port?: number } = {}): Promise<StandInModel> {
  const log: ModelRequest[] = []
  const failures = new Map<string, number>()
  const server = createServer((request, response) => {
    const entry = logEntry(request, response)
    log.push(entry)
    watchEnd(entry, response)
    answer(request, response, entry, failures).catch((cause: unknown) => {
      if (response.destroyed) return
      if (response.headersSent) response.destroy()
      else
        sendJson(response, 400, {
          type: 'error',
          error: { type: 'invalid_request_error', message: String(cause) },
        })
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const stop = async () => {
    if (!server.listening) return
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, requests: () => [...log], stop, [Symbol.asyncDispose]: stop }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  entry: ModelRequest,
  failures: Map<string, number>,
): Promise<void> {
  // Codex tries a WebSocket first; another answer than this one costs it five tries.
  if (request.headers.upgrade !== undefined) {
    return sendJson(response, 426, { error: { message: 'The stand-in model speaks no WebSocket.' } })
  }
  const dialect = dialects.find((one) => one.matches(entry.method, entry.path))
  if (!dialect) {
    request.resume()
    const alive = entry.method === 'HEAD' || entry.path === '/'
    return sendJson(response, alive ? 200 : 404, {
      type: 'error',
      error: { type: 'not_found_error', message: `The stand-in model has no ${entry.method} ${entry.path}.` },
    })
  }
  entry.body = request.method === 'POST' ? await json(request) : undefined
  if (dialect.answerPlainly?.(entry.path, entry.body, response)) return
  const conversation = dialect.read(entry.body)
  Object.assign(entry, {
    model: conversation.model,
    system: conversation.system,
    prompts: conversation.prompts,
  })
  const turn = nextTurn(scriptOf(conversation), conversation.resultsSinceLastPrompt)
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  await playTurn(turn, dialect.answer(entry.body, response, turn), {
    signal: gone.signal,
    stillDue: (step, times) => {
      const { key, prompts, resultsSinceLastPrompt } = conversation
      const failure = JSON.stringify([entry.path, key, prompts, resultsSinceLastPrompt, step])
      const count = failures.get(failure) ?? 0
      failures.set(failure, count + 1)
      return count < times
    },
    cut: () => {
      entry.cut = true
      // After what was said before it: destroying at once would take that back.
      response.socket?.destroySoon()
    },
  })
}

function scriptOf({ prompts }: Conversation): Directive[] {
  const script = parseDirectives(prompts.at(-1) ?? '')
  if (script.length > 0) return script
  return [
    {
      kind: 'say',
      text: `This conversation has ${prompts.length} user ${prompts.length === 1 ? 'prompt' : 'prompts'}.`,
    },
  ]
}

function logEntry(request: IncomingMessage, response: ServerResponse): ModelRequest {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  return {
    method: request.method ?? 'GET',
    path: pathname,
    headers: request.headers,
    model: '',
    system: '',
    prompts: [],
    body: undefined,
    get status() {
      return response.headersSent ? response.statusCode : undefined
    },
    aborted: false,
    cut: false,
    startedAt: Date.now(),
  }
}

function watchEnd(entry: ModelRequest, response: ServerResponse): void {
  response.once('close', () => {
    entry.endedAt = Date.now()
    entry.aborted = !response.writableFinished && !entry.cut
  })
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
