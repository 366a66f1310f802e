import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { TRPCClientError } from '@trpc/client'
import { httpFor } from './node-http.ts'

/**
 * Makes one call of the relay as an HTTP request with a bearer token, which goes into its header and nowhere else. By
 * Node's own client: the one behind `fetch` costs a runner 8 MB. Redirects are refused, since none may take a key along.
 *
 * Rejects with a TRPCClientError that has `data` when the relay refused, with any other error when what answered is not
 * this relay, or nothing did.
 */
export async function postToRelay(
  relayUrl: string,
  path: string,
  call: { token: string; input?: unknown; signal: AbortSignal },
): Promise<unknown> {
  const response = await send(`${relayUrl}/trpc/${path}`, call)
  const answer = parse(await text(response)) as { result?: { data?: unknown }; error?: unknown } | null
  if (answer?.error) throw TRPCClientError.from(answer as Parameters<typeof TRPCClientError.from>[0])
  if (answer?.result) return answer.result.data
  throw new Error(`HTTP ${response.statusCode} without an answer of a relay`)
}

function send(
  url: string,
  { token, input, signal }: { token: string; input?: unknown; signal: AbortSignal },
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const body = input === undefined ? '' : JSON.stringify(input)
  const request = httpFor(url).request(url, {
    method: 'POST',
    signal,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    },
  })
  request.on('response', resolve).on('error', reject).end(body)
  return promise
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}
