import type { IncomingMessage } from 'node:http'

export type BodyRead =
  | { ok: true; body: Buffer }
  | { ok: false; reason: 'too_large' | 'cut_off' | 'too_slow' }

/**
 * Reads a request's body by counting bytes; a Content-Length is only believed when it says "too large". Stops reading
 * at the limit and after `timeoutMs`, so that a slow or endless sender costs a bounded amount.
 */
export function readBody(
  request: IncomingMessage,
  limits: { maxBytes: number; timeoutMs: number },
): Promise<BodyRead> {
  if (Number(request.headers['content-length'] ?? 0) > limits.maxBytes) {
    return Promise.resolve({ ok: false, reason: 'too_large' })
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const done = (result: BodyRead) => {
      clearTimeout(timer)
      request.off('data', take).off('end', end).off('close', close).off('error', close)
      resolve(result)
    }
    const take = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > limits.maxBytes) {
        request.pause()
        done({ ok: false, reason: 'too_large' })
      } else chunks.push(chunk)
    }
    const end = () =>
      done({ ok: true, body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) })
    const close = () => done({ ok: false, reason: 'cut_off' })
    const timer = setTimeout(() => done({ ok: false, reason: 'too_slow' }), limits.timeoutMs)
    request.on('data', take).on('end', end).on('close', close).on('error', close)
  })
}
