import { BatonError } from '@baton/protocol'
import type { Outbound } from '../outputs/outbound/outbound.ts'

export type GithubFetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string; signal?: AbortSignal },
) => Promise<Response>

/** No answer came. `wasSent`: GitHub may have done what it was asked for. */
export class NoAnswer extends Error {
  readonly wasSent: boolean

  constructor(why: string, wasSent: boolean) {
    super(why)
    this.name = 'NoAnswer'
    this.wasSent = wasSent
  }
}

const CALL_LIMIT_MS = 15_000
/** A page of a hundred deliveries or comments. */
const ANSWER_BYTES = 16 * 1024 * 1024

/** What Octokit fetches with: the relay's own way out, which checks where it goes and follows nothing elsewhere. */
export function createGithubFetch(outbound: Pick<Outbound, 'request'>): GithubFetch {
  return async (url, { method, headers, body, signal }) => {
    const limit = AbortSignal.timeout(CALL_LIMIT_MS)
    const result = await outbound.request({
      url,
      method: method as 'GET',
      headers,
      ...(body !== undefined && { body }),
      answerBytes: ANSWER_BYTES,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    })
    if (result.result === 'refused') throw new BatonError('bad_input', result.why)
    if (result.result !== 'response') throw new NoAnswer(result.why, result.result === 'lost')
    if (result.status >= 300 && result.status < 400)
      throw new BatonError(
        'conflict',
        'GitHub sent the call to another address. Was the repository renamed or moved? Use its new name.',
      )
    const hasNone = result.status === 204 || result.status === 304
    return new Response(hasNone ? null : result.body, { status: result.status, headers: result.headers })
  }
}
