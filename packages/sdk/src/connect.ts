import { RECONNECT_BASE_MS, RECONNECT_CAP_MS } from '@baton/protocol'
import type { AppRouter } from '@baton/relay'
import { createTRPCClient, type HTTPLinkOptions, type TRPCClient } from '@trpc/client'
import { httpLink } from '@trpc/client/links/httpLink'
import { splitLink } from '@trpc/client/links/splitLink'
import { createWSClient, wsLink } from '@trpc/client/links/wsLink/wsLink'
import { assertReadable } from './api-error.ts'
import { createCarefulFetch, REPEATABLE_HEADER } from './careful-fetch.ts'

type HttpFetch = NonNullable<HTTPLinkOptions<AppRouter['_def']['_config']['$types']>['fetch']>
export type Raw = TRPCClient<AppRouter>
export type Connection = { raw: Raw; close(): Promise<void> }

/**
 * Calls go over HTTP; only subscriptions open the WebSocket, which closes as soon as the last one ended, so that a
 * script can exit. A cut socket is opened again with full jitter, and its subscriptions go on.
 */
export function connect({
  url,
  token,
  timeoutMs,
  client,
}: {
  url: string
  token: string
  timeoutMs: number
  client: 'cli' | 'sdk'
}): Connection {
  const socket = createWSClient({
    url: `${url.replace(/^http/, 'ws')}/trpc`,
    connectionParams: () => ({ token }),
    lazy: { enabled: true, closeMs: 100 },
    keepAlive: { enabled: true, intervalMs: 15_000, pongTimeoutMs: 20_000 },
    retryDelayMs: (attempt) => Math.random() * Math.min(RECONNECT_CAP_MS, RECONNECT_BASE_MS * 2 ** attempt),
  })
  const carefulFetch = createCarefulFetch({ timeoutMs })
  const askRelay: typeof carefulFetch = async (input, init) => {
    const response = await carefulFetch(input, init)
    assertReadable(response, url)
    return response
  }
  const http: HTTPLinkOptions<AppRouter['_def']['_config']['$types']> = {
    url: `${url}/trpc`,
    fetch: askRelay as HttpFetch,
    headers: ({ op }) => ({
      authorization: `Bearer ${token}`,
      'x-baton-client': client,
      ...repeatable(op.input),
    }),
  }
  const raw = createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: (op) => op.type === 'subscription',
        true: wsLink({ client: socket }),
        false: splitLink({
          condition: isLongQuery,
          true: httpLink({ ...http, methodOverride: 'POST' }),
          false: httpLink(http),
        }),
      }),
    ],
  })
  return { raw, close: () => socket.close() }
}

/** A query's input stands in its address, where a payload or a prompt does not fit. */
const LONGEST_IN_ADDRESS = 2_000
const isLongQuery = ({ type, input }: { type: string; input: unknown }) =>
  type === 'query' && input !== undefined && JSON.stringify(input).length > LONGEST_IN_ADDRESS

function repeatable(input: unknown): Record<string, string> {
  const key = (input as { idempotencyKey?: unknown } | undefined)?.idempotencyKey
  return typeof key === 'string' ? { [REPEATABLE_HEADER]: key } : {}
}
