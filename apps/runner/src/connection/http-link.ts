import { toCallError } from './call-error.ts'
import { createLinkEnd, endOf, type Link } from './link.ts'
import { postToRelay } from './post-to-relay.ts'
import { CALL_LIMIT_MS, type CallInputs, type CallName } from './runner-calls.ts'

const PULL_WAIT_MS = 25_000
/** How long HTTP is used before a socket is tried again. */
export const SOCKET_AGAIN_AFTER_MS = 60_000

export type HttpCalls = <K extends CallName>(
  name: K,
  input: CallInputs[K],
  signal?: AbortSignal,
) => Promise<unknown>

/** Calls of the relay as one HTTP request each. */
export function createHttpCalls(relayUrl: string, token: string, stopped: AbortSignal): HttpCalls {
  return async (name, input, signal = stopped) => {
    const limit = AbortSignal.timeout(CALL_LIMIT_MS[name])
    try {
      const call = { token, input, signal: AbortSignal.any([signal, limit]) }
      return await postToRelay(relayUrl, `runner.${name}`, call)
    } catch (error) {
      throw toCallError(error, `calling ${name}`, limit.aborted)
    }
  }
}

/**
 * The way for networks that cut WebSockets: deliveries come by long poll, everything else by plain requests. It asks to
 * be replaced (`moving`) after a minute, so that a socket is tried again.
 */
export function openHttpLink(relayUrl: string, token: string, stopped: AbortSignal): Link {
  const { ended, end } = createLinkEnd()
  const gone = new AbortController()
  const signal = AbortSignal.any([stopped, gone.signal])
  const calls = createHttpCalls(relayUrl, token, signal)
  const again = setTimeout(() => end({ why: 'moving' }), SOCKET_AGAIN_AFTER_MS)
  let polling = new AbortController()

  async function poll(
    open: Parameters<Link['listen']>[0],
    onPush: Parameters<Link['listen']>[1],
    own: AbortSignal,
  ) {
    while (!own.aborted) {
      onPush(await calls('pull', { ...open(), waitMs: PULL_WAIT_MS }, own), null)
    }
  }

  return {
    via: 'http',
    call: (name, input) => calls(name, input),
    listen(open, onPush) {
      polling.abort()
      polling = new AbortController()
      const own = AbortSignal.any([signal, polling.signal])
      poll(open, onPush, own).catch((error: unknown) => {
        if (!own.aborted) end(endOf(toCallError(error, 'waiting for deliveries', false)))
      })
    },
    ended,
    abandon: (detail) => end({ why: 'lost', detail }),
    close() {
      clearTimeout(again)
      end({ why: 'lost', detail: 'it was closed here' })
      gone.abort()
    },
  }
}
