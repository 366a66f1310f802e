import { setTimeout as wait } from 'node:timers/promises'
import { brokenFailure, type ChatFailure, httpFailure } from './chat-failure.ts'
import type { ChatModel } from './chat-model.ts'
import { CHAT_SERVICES, type ChatTokens, type ChatTurn } from './chat-services.ts'
import { serverEvents } from './server-events.ts'

export type ChatCall = {
  model: ChatModel
  key: string | null
  system: string
  turns: readonly ChatTurn[]
}
/** Who hears of an answer while it comes. */
export type ChatListener = {
  piece(kind: 'text' | 'thinking', text: string): void
  retry(attempt: number, failure: ChatFailure): void
  /** What the request under way has used so far, as far as the service says it; `asked` begins the next one. */
  used(tokens: ChatTokens): void
  asked(): void
}
export type ChatAnswer = { text: string; tokens: ChatTokens; stop: 'end' | 'length' | 'refusal' }

const MOST_TRIES = 4
/** An answer that always stops at its length is not asked for for ever. */
const MOST_PARTS = 8
const GO_ON = 'Go on exactly where you stopped, without repeating anything.'

/**
 * The model's whole answer: tried again after failures that pass, and asked to go on where it stopped at its length.
 * `firstWaitMs` is the first pause between tries; each further one is twice as long, unless the service says how long.
 */
export async function askChat(
  call: ChatCall,
  listener: ChatListener,
  firstWaitMs = 1_000,
): Promise<ChatAnswer | ChatFailure> {
  const whole: ChatAnswer = { text: '', tokens: { input: 0, output: 0, cached: 0 }, stop: 'end' }
  for (let part = 1; part <= MOST_PARTS; part += 1) {
    const more: ChatTurn[] =
      whole.text === ''
        ? []
        : [
            { role: 'assistant', text: whole.text },
            { role: 'user', text: GO_ON },
          ]
    const answer = await tryPart({ ...call, turns: [...call.turns, ...more] }, listener, firstWaitMs)
    if ('message' in answer) return answer
    whole.text += answer.text
    whole.stop = answer.stop
    for (const name of ['input', 'output', 'cached'] as const) whole.tokens[name] += answer.tokens[name]
    if (answer.stop !== 'length' || answer.text === '') break
  }
  return whole
}

async function tryPart(
  call: ChatCall,
  listener: ChatListener,
  firstWaitMs: number,
): Promise<ChatAnswer | ChatFailure> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await askOnce(call, listener)
    if (!('message' in answer)) return answer
    if (!answer.isPassing || attempt === MOST_TRIES) return answer
    listener.retry(attempt, answer)
    await wait(answer.waitMs ?? firstWaitMs * 2 ** (attempt - 1))
  }
}

async function askOnce(call: ChatCall, listener: ChatListener): Promise<ChatAnswer | ChatFailure> {
  const service = CHAT_SERVICES[call.model.service]
  listener.asked()
  const { url, headers, body } = service.request(call.model, call.key, call.system, call.turns)
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
      body: JSON.stringify(body),
      // The key goes to the address that was allowed and to no other.
      redirect: 'error',
    })
    if (!response.ok || response.body === null)
      return httpFailure(response.status, response.headers, await response.text(), Date.now())
    return await readAnswer(response.body, service, listener)
  } catch (cause) {
    return brokenFailure(cause)
  }
}

async function readAnswer(
  body: AsyncIterable<Uint8Array>,
  service: (typeof CHAT_SERVICES)[ChatModel['service']],
  listener: ChatListener,
): Promise<ChatAnswer | ChatFailure> {
  const answer: ChatAnswer = { text: '', tokens: { input: 0, output: 0, cached: 0 }, stop: 'end' }
  let ended = false
  for await (const event of serverEvents(body)) {
    const piece = service.read(event)
    if (piece.error !== undefined)
      return {
        status: null,
        message: `The model's service failed: ${piece.error}`,
        waitMs: null,
        isPassing: true,
      }
    if (piece.thinking !== undefined) listener.piece('thinking', piece.thinking)
    if (piece.text !== undefined) {
      answer.text += piece.text
      listener.piece('text', piece.text)
    }
    if (piece.tokens !== undefined) {
      Object.assign(answer.tokens, piece.tokens)
      listener.used(answer.tokens)
    }
    if (piece.stop !== undefined) {
      answer.stop = piece.stop
      ended = true
    }
  }
  return ended ? answer : brokenFailure(new Error('it broke off in the middle of its answer'))
}
