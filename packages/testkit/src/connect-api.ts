import type { AppRouter } from '@baton/relay'
import { createTRPCClient, httpLink } from '@trpc/client'
import type { WireApi } from './wire-runner.ts'

/** The API of a relay as whoever has this token may use it, over HTTP. */
export function connectApi(relayUrl: string, token: string): WireApi {
  return createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${relayUrl}/trpc`, headers: { authorization: `Bearer ${token}` } })],
  })
}
