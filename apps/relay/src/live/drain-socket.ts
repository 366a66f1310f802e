import { setTimeout as wait } from 'node:timers/promises'
import { SOCKET_BUFFER_BYTES } from '@baton/protocol'
import type { WebSocket } from 'ws'

const LOOK_MS = 20
const STALLED_MS = 10_000
/** Close codes of our own: the client comes back with its cursor. */
export const SLOW_CONSUMER = 4408

/**
 * Waits until a socket has taken most of what was sent, because tRPC's adapter sends without looking. One that takes
 * nothing for ten seconds is closed. Also lets other work of the process run.
 */
export async function drainSocket(socket: WebSocket | null, signal: AbortSignal): Promise<void> {
  if (!socket || socket.bufferedAmount <= SOCKET_BUFFER_BYTES) return
  const since = performance.now()
  while (socket.bufferedAmount > SOCKET_BUFFER_BYTES && !signal.aborted) {
    if (performance.now() - since > STALLED_MS) {
      socket.close(SLOW_CONSUMER, 'slow consumer')
      setTimeout(() => socket.terminate(), 1_000).unref()
      return
    }
    await wait(LOOK_MS)
  }
}
