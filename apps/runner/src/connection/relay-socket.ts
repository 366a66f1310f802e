import { WebSocket } from 'ws'
import { httpFor } from './node-http.ts'

/** A peer that does not answer a close must not keep a runner that stops. */
const CLOSE_WITHIN_MS = 2_000

/**
 * A WebSocket to a relay, in place of Node's own, which costs a runner 6 MB. It goes through Node's agents, so that
 * NODE_USE_ENV_PROXY holds for it as for requests.
 */
export class RelaySocket extends WebSocket {
  constructor(url: string | URL) {
    super(url, {
      agent: httpFor(url).globalAgent,
      perMessageDeflate: false,
      closeTimeout: CLOSE_WITHIN_MS,
    } as WebSocket.ClientOptions)
  }
}
