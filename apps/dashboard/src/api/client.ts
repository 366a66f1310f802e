import type { AppRouter } from '@baton/relay'
import { createTRPCClient, createWSClient, httpBatchLink, httpLink, splitLink, wsLink } from '@trpc/client'

/** Batched GETs keep their input in the address; longer ones are split over several requests. */
const MAX_URL_LENGTH = 4_000
const RECONNECT_BASE_MS = 500
const RECONNECT_CAP_MS = 10_000
const ANSWER_WITHIN_MS = 20_000

/**
 * The typed client of the relay that serves this page. Queries and mutations go over HTTP with the session cookie,
 * subscriptions over one WebSocket that opens with the first of them, so that it is never opened signed out.
 */
export function createClient(origin: string) {
  const socket = createWSClient({
    url: `${origin.replace(/^http/, 'ws')}/trpc`,
    lazy: { enabled: true, closeMs: 60_000 },
    keepAlive: { enabled: true, intervalMs: 10_000, pongTimeoutMs: 10_000 },
    retryDelayMs: (attempt) =>
      attempt === 0 ? 0 : Math.random() * Math.min(RECONNECT_BASE_MS * 2 ** attempt, RECONNECT_CAP_MS),
  })
  const http = {
    url: `${origin}/trpc`,
    // A call that hangs for ever would leave its page empty without a word.
    fetch: (
      url: RequestInfo | URL | string,
      options?: object & { signal?: AbortSignal | null | undefined },
    ) => fetch(url, { ...(options as RequestInit), signal: withTimeout(options?.signal) }),
  }
  return createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: (operation) => operation.type === 'subscription',
        true: wsLink({ client: socket }),
        false: splitLink({
          condition: isLongQuery,
          true: httpLink({ ...http, methodOverride: 'POST' }),
          false: httpBatchLink({ ...http, maxURLLength: MAX_URL_LENGTH }),
        }),
      }),
    ],
  })
}

/** Its input does not fit into an address: a payload or a prompt that is rehearsed. */
const isLongQuery = ({ type, input }: { type: string; input: unknown }) =>
  type === 'query' &&
  input !== undefined &&
  encodeURIComponent(JSON.stringify(input)).length > MAX_URL_LENGTH / 2

export type Client = ReturnType<typeof createClient>

function withTimeout(signal: AbortSignal | null | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(ANSWER_WITHIN_MS)
  return signal ? AbortSignal.any([signal, timeout]) : timeout
}
