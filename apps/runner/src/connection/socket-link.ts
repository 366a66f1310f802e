import { CLOSE_REVOKED, CLOSE_TOKEN_EXPIRED, PROTOCOL_VERSION } from '@baton/protocol'
import { createTRPCUntypedClient, createWSClient, wsLink } from '@trpc/client'
import { rootReason, toCallError } from './call-error.ts'
import { createHttpCalls } from './http-link.ts'
import { createLinkEnd, endOf, type Link } from './link.ts'
import { RelaySocket } from './relay-socket.ts'
import { CALL_LIMIT_MS, type CallInputs, type CallName } from './runner-calls.ts'

const OPEN_LIMIT_MS = 10_000
/** A half-open socket never reports its end, so one that is silent for this long counts as gone: after 35 s at the latest. */
export type KeepAlive = { pingEveryMs: number; pongWithinMs: number }
/** A slow line with a full buffer answers late and is healthy all the same. */
export const KEEP_ALIVE: KeepAlive = { pingEveryMs: 10_000, pongWithinMs: 20_000 }
/** With this much unsent output, or output that was not answered for this long, a renew goes by HTTP and not behind it. */
const CONGESTED_BYTES = 64 * 1024
const CONGESTED_MS = 1_000
const SIGNED_OUT = [CLOSE_TOKEN_EXPIRED, CLOSE_REVOKED]

/**
 * Opens one WebSocket. tRPC's own reconnection is not used: it would send the subscription again before the hello. Its
 * reconnect notice is seen by the decoder and becomes the end `moving`, so that the next link is opened, greeted and
 * subscribed before this one goes.
 *
 * Rejects with `unavailable` when no socket can be had.
 */
export async function openSocketLink(
  relayUrl: string,
  token: string,
  stopped: AbortSignal,
  { pingEveryMs, pongWithinMs }: KeepAlive = KEEP_ALIVE,
): Promise<Link> {
  const silentAfterMs = (pingEveryMs + pongWithinMs) * 1.15
  const { ended, end } = createLinkEnd()
  const opened = Promise.withResolvers<void>()
  let heardAt = performance.now()
  const lose = (detail: string, cause?: unknown, why: 'lost' | 'signed_out' = 'lost') => {
    opened.reject(toCallError(cause, `opening the socket to ${relayUrl}`, false))
    end({ why, detail })
    close()
  }
  const client = createWSClient({
    // @ts-expect-error the declared type also has what only a browser's socket does
    WebSocket: RelaySocket,
    url: `${relayUrl.replace(/^http/, 'ws')}/trpc`,
    connectionParams: () => ({ token, protocolVersion: String(PROTOCOL_VERSION) }),
    retryDelayMs: () => 0,
    keepAlive: { enabled: true, intervalMs: pingEveryMs, pongTimeoutMs: pongWithinMs },
    onOpen: () => opened.resolve(),
    onError: (event) => lose(rootReason(event) || 'the socket failed', event),
    onClose: (event) =>
      lose(describeClose(event), undefined, SIGNED_OUT.includes(event?.code ?? 0) ? 'signed_out' : 'lost'),
    experimental_encoder: {
      encode: (value) => JSON.stringify(value),
      decode(text) {
        heardAt = performance.now()
        const message = JSON.parse(text as string)
        if (message.method !== 'reconnect') return message
        end({ why: 'moving' })
        return { id: null, result: { type: 'data', data: null } }
      },
    },
  })
  const calls = createTRPCUntypedClient({ links: [wsLink({ client })] })
  const overHttp = createHttpCalls(relayUrl, token, stopped)
  const gone = new AbortController()
  const appends = new Set<{ at: number }>()
  let listening: { unsubscribe(): void } | null = null

  const watch = setInterval(() => {
    if (performance.now() - heardAt > silentAfterMs) lose(`nothing was heard for ${silentAfterMs / 1000} s`)
  }, pingEveryMs / 2)

  function close() {
    clearInterval(watch)
    gone.abort()
    listening?.unsubscribe()
    client.connection?.ws.close()
    void client.close()
  }

  async function call<K extends CallName>(name: K, input: CallInputs[K]): Promise<unknown> {
    if (name === 'renew' && isCongested()) return overHttp(name, input)
    const limit = AbortSignal.timeout(CALL_LIMIT_MS[name])
    const sent = { at: performance.now() }
    if (name === 'append') appends.add(sent)
    try {
      if (gone.signal.aborted || client.connection?.ws.readyState !== RelaySocket.OPEN)
        throw new Error('the socket is closed')
      return await calls.mutation(`runner.${name}`, input, { signal: AbortSignal.any([gone.signal, limit]) })
    } catch (error) {
      throw toCallError(error, `calling ${name}`, limit.aborted)
    } finally {
      appends.delete(sent)
    }
  }

  function isCongested(): boolean {
    const late = performance.now() - CONGESTED_MS
    return (
      (client.connection?.ws.bufferedAmount ?? 0) > CONGESTED_BYTES ||
      appends.values().some(({ at }) => at < late)
    )
  }

  const link: Link = {
    via: 'websocket',
    call,
    listen(open, onPush) {
      listening?.unsubscribe()
      let current = true
      const subscription = calls.subscription('runner.deliveries', open(), {
        onData(data) {
          const { id, data: push } = data as { id: string; data: unknown }
          onPush(push, id)
        },
        onError(error: unknown) {
          if (current) end(endOf(toCallError(error, 'listening for deliveries', false)))
        },
        onComplete() {
          if (current) end({ why: 'lost', detail: 'the relay ended the session' })
        },
      })
      listening = {
        unsubscribe() {
          current = false
          subscription.unsubscribe()
        },
      }
    },
    ended,
    abandon: (detail) => end({ why: 'lost', detail }),
    close() {
      end({ why: 'lost', detail: 'it was closed here' })
      close()
    },
  }

  const limit = AbortSignal.any([stopped, AbortSignal.timeout(OPEN_LIMIT_MS)])
  const onLimit = () => lose(`no socket could be opened within ${OPEN_LIMIT_MS / 1000} s`)
  limit.addEventListener('abort', onLimit, { once: true })
  if (limit.aborted) onLimit()
  try {
    await opened.promise
    return link
  } finally {
    limit.removeEventListener('abort', onLimit)
  }
}

function describeClose(event: { code?: number; reason?: string } | undefined): string {
  const reason = event?.reason ? `: ${event.reason}` : ''
  return `the socket was closed (${event?.code ?? 'no code'}${reason})`
}
