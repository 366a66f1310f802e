import { setTimeout as wait } from 'node:timers/promises'
import {
  BatonError,
  type HelloAnswer,
  RECONNECT_BASE_MS,
  RECONNECT_CAP_MS,
  RECONNECT_RESET_AFTER_MS,
  type RunnerHello,
  type TokenAnswer,
} from '@baton/protocol'
import { backoff } from '@baton/service'
import { isFinalRefusal, isOutcomeUnknown, toCallError } from './call-error.ts'
import type { ConnectionState } from './connection-state.ts'
import { exchangeToken } from './exchange-token.ts'
import { openHttpLink } from './http-link.ts'
import type { Link, LinkEnd } from './link.ts'
import { type Push, readPush } from './read-push.ts'
import { CALL_ANSWERS, type CallAnswer, type CallInputs, type CallName } from './runner-calls.ts'
import { KEEP_ALIVE, type KeepAlive, openSocketLink } from './socket-link.ts'

/** After so many sockets that could not be had while signing in over HTTP worked, deliveries are fetched over HTTP. */
const SOCKET_TRIES = 3
/** A relay that goes asks all its runners at once to move, and waits only a moment. */
const MOVE_WITHIN_MS = 100
/** A link that was replaced goes on receiving for this long, for what was on its way. */
const RETIRE_AFTER_MS = 2_000

export type ConnectionOptions = {
  relayUrl: string
  instanceId: string
  /** Read at each connect, so that a rotated key works without a restart. */
  readKey(): Promise<string>
  /** Everything held at this moment. Asked at each connect. */
  hello(): RunnerHello
  /** Called with each answer to a hello, before anything is pushed over that link. */
  onHello(answer: HelloAnswer): void
  onPush(push: Push): void
  /** How many deliveries may be pushed now; asked whenever a session is opened. */
  freeSlots(): number
  /** Of the watches that are kept here; asked whenever a session is opened. */
  watchesVersion?(): string
  onState(state: ConnectionState): void
  random: () => number
  /** How soon a socket that went silent is given up. */
  keepAlive?: KeepAlive
}

export type Connection = {
  start(): void
  /** Says goodbye with the cause and closes. Calls under way are rejected. */
  stop(cause: 'stopped' | 'restarting' | 'sleeping'): Promise<void>
  state(): ConnectionState
  /** Resolves while a session is open; rejects with the refusal when none will be, or when `signal` aborts. */
  online(signal: AbortSignal): Promise<void>
  /** One call, answered or rejected within its limit. `unavailable` and `timeout` mean: outcome unknown, repeat it. */
  call<K extends CallName>(name: K, input: CallInputs[K]): Promise<CallAnswer<K>>
  /** Says hello again over the link that stands, when what it says has changed. */
  greetAgain(): Promise<void>
  /** Opens another link because this one is in doubt, after a sleep for one. */
  renewLink(detail: string): void
  /** Opens the session again with what is free now, when what the relay believes to be free is in doubt. */
  reopenSession(): void
  /** Settles when the relay refused for good (null: it was stopped). */
  ended: Promise<BatonError | null>
}

/**
 * Keeps one session with the relay open: token, link, hello with everything held, then the subscription, in this order at
 * every connect. A link that ends is replaced after a jittered delay; one that the relay asks to leave is left only when
 * its successor stands.
 */
export function createConnection(options: ConnectionOptions): Connection {
  const { relayUrl, instanceId, keepAlive = KEEP_ALIVE } = options
  const stopping = new AbortController()
  const delayBefore = backoff({ baseMs: RECONNECT_BASE_MS, capMs: RECONNECT_CAP_MS, random: options.random })
  const ended = Promise.withResolvers<BatonError | null>()
  let state: ConnectionState = describe('connecting', 'Connecting for the first time.')
  let active: Link | null = null
  let whenOnline = Promise.withResolvers<void>()
  let lastEventId: string | null = null
  let failures = 0
  let socketFailures = 0
  let loop: Promise<void> = Promise.resolve()
  let greeting: Promise<void> | null = null
  whenOnline.promise.catch(() => undefined)

  function describe(
    word: ConnectionState['state'],
    sentence: string,
    more?: Partial<ConnectionState>,
  ): ConnectionState {
    return { state: word, via: null, since: Date.now(), failures: 0, nextTryAt: null, sentence, ...more }
  }

  function show(next: ConnectionState) {
    state = next
    options.onState(next)
  }

  function activate(link: Link | null) {
    if (link && !active) whenOnline.resolve()
    if (!link && active) {
      whenOnline = Promise.withResolvers<void>()
      whenOnline.promise.catch(() => undefined)
    }
    active = link
  }

  async function keepConnected() {
    while (!stopping.signal.aborted) {
      let detail = ''
      try {
        const end = await holdOneLink()
        if (end.why === 'refused') return refuse(end.error)
        if (end.why === 'moving') {
          await pause(options.random() * MOVE_WITHIN_MS)
          continue
        }
        activate(null)
        if (end.why === 'signed_out') {
          await pause(options.random() * MOVE_WITHIN_MS)
          continue
        }
        detail = end.detail
      } catch (error) {
        if (isFinalRefusal(error)) return refuse(error as BatonError)
        detail = (error as Error).message
      }
      await pauseBeforeRetry(detail)
    }
  }

  async function holdOneLink(): Promise<LinkEnd> {
    const link = await openLink()
    await openSession(link)
    const onlineAt = performance.now()
    const end = await whileStanding(link)
    if (performance.now() - onlineAt > RECONNECT_RESET_AFTER_MS) failures = 0
    return end
  }

  async function pauseBeforeRetry(detail: string) {
    if (stopping.signal.aborted) return
    failures += 1
    const delay = delayBefore(failures)
    if (!active) {
      const sentence = `Not connected to ${relayUrl}: ${detail.replace(/\.$/, '')}.`
      show(describe('waiting', sentence, { failures, nextTryAt: Date.now() + delay }))
    }
    await pause(delay)
  }

  const pause = (ms: number) => wait(ms, undefined, { signal: stopping.signal }).catch(() => undefined)

  async function openLink(): Promise<Link> {
    if (!active) show({ ...state, state: 'connecting', nextTryAt: null })
    const signedIn: TokenAnswer = await exchangeToken(relayUrl, await options.readKey(), stopping.signal)
    if (socketFailures < SOCKET_TRIES) {
      try {
        return await openSocketLink(relayUrl, signedIn.token, stopping.signal, keepAlive)
      } catch (error) {
        socketFailures += 1
        if (socketFailures < SOCKET_TRIES) throw error
      }
    }
    socketFailures = SOCKET_TRIES - 1
    return openHttpLink(relayUrl, signedIn.token, stopping.signal)
  }

  async function openSession(link: Link) {
    try {
      const answer = await greet(link)
      if (link.via === 'websocket') socketFailures = 0
      options.onHello(answer)
      const previous = active
      activate(link)
      subscribe(link)
      if (previous) setTimeout(() => previous.close(), RETIRE_AFTER_MS).unref()
      show(describe('online', onlineSentence(link), { via: link.via }))
    } catch (error) {
      if (link.via === 'websocket' && isOutcomeUnknown(error)) socketFailures += 1
      link.close()
      throw error
    }
  }

  /** While a hello is on its way no accept is sent: the relay would count what it does not name as lost. */
  async function greet(link: Link): Promise<HelloAnswer> {
    const done = Promise.withResolvers<void>()
    greeting = done.promise
    try {
      return await callOver(link, 'hello', options.hello())
    } finally {
      greeting = null
      done.resolve()
    }
  }

  function onlineSentence(link: Link): string {
    const way = link.via === 'http' ? ' over HTTP, because no WebSocket could be opened' : ''
    return `Connected to ${relayUrl}${way}.`
  }

  function subscribe(link: Link) {
    link.listen(
      () => ({
        instanceId,
        slots: options.freeSlots(),
        lastEventId,
        watchesVersion: options.watchesVersion?.() ?? '',
      }),
      (value, id) => {
        if (id !== null) lastEventId = id
        const push = readPush(value)
        if (push) options.onPush(push)
      },
    )
  }

  async function whileStanding(link: Link): Promise<LinkEnd> {
    const stopped = Promise.withResolvers<LinkEnd>()
    const onStop = () => stopped.resolve({ why: 'lost', detail: 'the runner stops' })
    stopping.signal.addEventListener('abort', onStop, { once: true })
    try {
      const end = await Promise.race([link.ended, stopped.promise])
      if (end.why !== 'moving' && !stopping.signal.aborted) link.close()
      return end
    } finally {
      stopping.signal.removeEventListener('abort', onStop)
    }
  }

  function refuse(error: BatonError) {
    stopping.abort()
    active?.close()
    activate(null)
    show(describe('refused', error.message))
    whenOnline.reject(error)
    ended.resolve(error)
  }

  async function callOver<K extends CallName>(
    link: Link,
    name: K,
    input: CallInputs[K],
  ): Promise<CallAnswer<K>> {
    const answer = CALL_ANSWERS[name].safeParse(await link.call(name, input))
    if (answer.success) return answer.data as CallAnswer<K>
    throw new BatonError(
      'unavailable',
      `While calling ${name}, what answered at ${relayUrl} is not this relay`,
      {
        cause: answer.error,
      },
    )
  }

  return {
    start() {
      loop = keepConnected().catch((error: unknown) => {
        refuse(toCallError(error, 'keeping the connection', false))
      })
    },
    async stop(cause) {
      const link = active
      if (link && !stopping.signal.aborted) await callOver(link, 'goodbye', { cause }).catch(() => undefined)
      stopping.abort()
      await loop
      link?.close()
      activate(null)
      if (state.state !== 'refused') show(describe('stopped', 'The runner was stopped.'))
      whenOnline.reject(new BatonError('unavailable', 'The runner was stopped.'))
      ended.resolve(null)
    },
    state: () => state,
    async online(signal) {
      signal.throwIfAborted()
      const aborted = Promise.withResolvers<never>()
      const onAbort = () => aborted.reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        await Promise.race([whenOnline.promise, aborted.promise])
      } finally {
        signal.removeEventListener('abort', onAbort)
      }
    },
    async call(name, input) {
      if (name === 'accept') await greeting
      if (!active) throw new BatonError('unavailable', `While calling ${name}, the relay was not connected`)
      try {
        return await callOver(active, name, input)
      } catch (error) {
        if (isFinalRefusal(error)) refuse(error as BatonError)
        if (error instanceof BatonError && error.code === 'not_signed_in')
          active?.abandon('its token has run out')
        throw error
      }
    },
    async greetAgain() {
      if (active) options.onHello(await greet(active))
    },
    renewLink(detail) {
      active?.abandon(detail)
    },
    reopenSession() {
      if (active) subscribe(active)
    },
    ended: ended.promise,
  }
}
