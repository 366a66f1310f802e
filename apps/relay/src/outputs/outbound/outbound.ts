import type { AllowList } from './allow-list.ts'
import { checkAddress, checkMailServer, checkUrl } from './check-target.ts'
import { exchange } from './exchange.ts'
import { openSocket, type Resolve, resolveByDns } from './open-socket.ts'

/** One request to somebody else's server. */
export type OutboundRequest = {
  url: string
  method?: 'POST' | 'GET' | 'PUT' | 'PATCH' | 'DELETE'
  headers?: Record<string, string>
  body?: string
  /** How much of the answer's body is read; 50 KiB unless said. */
  answerBytes?: number
  signal: AbortSignal
}

/**
 * response: an answer came, its body cut at the limit. refused: the address may not be asked, nothing was sent.
 * unreachable: nothing was sent. lost: bytes were sent and no answer came.
 */
export type OutboundResult =
  | {
      result: 'response'
      status: number
      headers: Record<string, string>
      body: string
    }
  | { result: 'refused'; why: string }
  | { result: 'unreachable'; why: string }
  | { result: 'lost'; why: string }

export type Outbound = {
  /** Redirects are answered as they are and never followed; proxies of the environment are not used. */
  request(request: OutboundRequest): Promise<OutboundResult>
  /** A plain socket to a mail server. */
  openMail(host: string, port: number, signal: AbortSignal): ReturnType<typeof openSocket>
  /** The sentence why this URL may not be asked, as far as that is known now (a name may move later); null: it may. */
  check(url: string): Promise<string | null>
  checkMail(host: string, port: number): string | null
}

/** The only way from a relay to addresses that people enter. */
export function createOutbound(allow: AllowList, resolve: Resolve = resolveByDns): Outbound {
  return {
    async request(request) {
      const target = checkUrl(request.url, allow)
      if (typeof target === 'string') return { result: 'refused', why: target }
      const opened = await openSocket(target, { allow, resolve, signal: request.signal })
      return opened.result === 'open' ? exchange(opened.socket, request) : opened
    },
    async openMail(host, port, signal) {
      const target = checkMailServer(host, port, allow)
      if (typeof target === 'string') return { result: 'refused', why: target }
      return openSocket(target, { allow, resolve, signal })
    },
    async check(url) {
      const target = checkUrl(url, allow)
      if (typeof target === 'string') return target
      const addresses = await resolve(target.host).catch(() => [])
      return addresses.map((address) => checkAddress(target, address, allow)).find(Boolean) ?? null
    },
    checkMail(host, port) {
      const target = checkMailServer(host, port, allow)
      return typeof target === 'string' ? target : null
    },
  }
}
