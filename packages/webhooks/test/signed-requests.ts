import { type RefusalReason, type Scheme, signRequest, verifySignature } from '../src/index.ts'
import { type Request, requestOf, withHeader } from './forgeries.ts'
import { distinct, type Vector } from './vectors.ts'

/** When the requests of these tests are signed and looked at. */
export const nowMs = 1_700_000_000_000

/** A request that was signed here. */
export function signed(
  scheme: Scheme,
  secrets: [string],
  body: string | Buffer,
  timestampMs = nowMs,
  id = 'msg_1',
): Request {
  const headers = distinct(signRequest({ scheme, secret: secrets[0], id, timestampMs, body }))
  return { scheme, secrets, headers, rawBody: Buffer.from(body), nowMs }
}

/** A recorded request with another value of one header. */
export function withValue(one: Vector, name: string, value: string): Request {
  return { ...requestOf(one), headers: withHeader(requestOf(one), name, [value]) }
}

/** Why a request is refused, or null where it is accepted. */
export function reasonOf(request: Request): RefusalReason | null {
  const answer = verifySignature(request)
  return answer.ok ? null : answer.reason
}
