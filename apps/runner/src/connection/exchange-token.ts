import { type TokenAnswer, tokenAnswer } from '@baton/protocol'
import { toCallError } from './call-error.ts'
import { postToRelay } from './post-to-relay.ts'

const TOKEN_LIMIT_MS = 10_000

/**
 * Gives the machine key for a token of a few minutes. The key goes into a header of this one request and nowhere else.
 *
 * Throws `key_unknown`, `key_revoked` or `runner_too_old` when the relay refuses, `unavailable` or `timeout` when it
 * cannot be reached or what answers is not a relay (a captive portal, for one).
 */
export async function exchangeToken(
  relayUrl: string,
  key: string,
  stopped: AbortSignal,
): Promise<TokenAnswer> {
  const limit = AbortSignal.timeout(TOKEN_LIMIT_MS)
  try {
    const signal = AbortSignal.any([stopped, limit])
    return tokenAnswer.parse(await postToRelay(relayUrl, 'runner.token', { token: key, signal }))
  } catch (error) {
    throw toCallError(error, `signing in at ${relayUrl}`, limit.aborted)
  }
}
