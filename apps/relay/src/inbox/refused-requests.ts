import type { IncomingMessage } from 'node:http'
import type { RefusedView, TriggerId } from '@baton/protocol'
import type { Problem } from '../http/problem.ts'
import { redactHeaders } from './redact-headers.ts'

export type RefusedRequests = {
  note(trigger: { id: TriggerId; path: string }, request: IncomingMessage, problem: Problem): void
  /** What was refused at the address of this trigger by this relay, newest first. */
  of(id: TriggerId): RefusedView | null
}

const KEPT = 100
const KEPT_MS = 60 * 60_000
const ADDRESSES = 1_000
/** Anybody can send headers: of one request no more is kept than people need to see what it was. */
const HEADERS_KEPT = 20
const HEADER_CHARACTERS = 100

/**
 * Remembers the last requests that were refused at each known address, so that "why did nothing happen" has an answer
 * for a wrong signature too. In memory only and bounded, because anybody can send such requests: nothing of their
 * bodies is kept and nothing is written.
 */
export function createRefusedRequests(now: () => number): RefusedRequests {
  const addresses = new Map<TriggerId, RefusedView>()
  return {
    note({ id, path }, request, problem) {
      const known = addresses.get(id) ?? { path, count: 0, requests: [] }
      // The least recently refused address makes room.
      addresses.delete(id)
      addresses.set(id, known)
      if (addresses.size > ADDRESSES) addresses.delete(addresses.keys().next().value as TriggerId)
      known.count += 1
      known.requests.unshift({
        at: now(),
        status: problem.status,
        type: problem.type,
        detail: problem.detail,
        contentType: request.headers['content-type']?.slice(0, 200) ?? null,
        bytes: Number(request.headers['content-length'] ?? Number.NaN) || null,
        headers: shortened(redactHeaders(request.headersDistinct)),
      })
      known.requests.length = Math.min(known.requests.length, KEPT)
    },
    of(id) {
      const known = addresses.get(id)
      if (!known) return null
      known.requests = known.requests.filter(({ at }) => at > now() - KEPT_MS)
      return { ...known, requests: [...known.requests] }
    },
  }
}

function shortened(headers: Record<string, string>): Record<string, string> {
  const first = Object.entries(headers).slice(0, HEADERS_KEPT)
  return Object.fromEntries(
    first.map(([name, value]) => [name.slice(0, HEADER_CHARACTERS), value.slice(0, HEADER_CHARACTERS)]),
  )
}
