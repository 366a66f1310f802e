/** One request to somebody else's server. */
export type OutboundRequest = {
  url: string
  method?: 'POST' | 'GET' | 'PUT' | 'PATCH' | 'DELETE'
  headers?: Record<string, string>
  body?: string
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
  request(request: OutboundRequest): Promise<OutboundResult>
}
