import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type CuttingProxy = AsyncDisposable & {
  url: string
  /** Where new connections go. */
  target: string
  /** Ends every connection at once, without a goodbye. */
  cut(): void
  /**
   * The next HTTP call of this procedure reaches the relay, and its answer is lost. Resolves then. With `andGoDown`
   * nobody gets through any more from that moment.
   */
  loseAnswer(procedure: string, options?: { andGoDown: boolean }): Promise<void>
  /** New WebSockets are refused while HTTP goes through, as some companies' proxies do. */
  refuseWebSockets: boolean
  /** Nobody gets through at all. */
  down: boolean
}

/** Stands between a runner and the relay, and does to their connection what networks do. */
export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const pairs = new Set<{ near: Socket; far: Socket }>()
  let losing: { procedure: string; lost: () => void } | null = null

  const server = createServer((near) => {
    if (proxy.down) return near.destroy()
    const far = connect(Number(new URL(proxy.target).port), '127.0.0.1')
    const pair = { near, far }
    pairs.add(pair)
    let answerIsLost: (() => void) | null = null
    near.on('data', (part) => {
      const text = part.toString('latin1')
      if (proxy.refuseWebSockets && /^upgrade: websocket/im.test(text)) {
        near.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
        return
      }
      if (losing && text.startsWith(`POST /trpc/${losing.procedure}`)) answerIsLost = losing.lost
      far.write(part)
    })
    far.on('data', (part) => {
      if (!answerIsLost) return void near.write(part)
      end()
      answerIsLost()
    })
    const end = () => {
      pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) socket.on('close', end).on('error', end)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }

  const proxy: CuttingProxy = {
    url: `http://127.0.0.1:${port}`,
    target,
    refuseWebSockets: false,
    down: false,
    cut() {
      for (const { near, far } of pairs) {
        near.destroy()
        far.destroy()
      }
    },
    loseAnswer(procedure, options) {
      const { promise, resolve } = Promise.withResolvers<void>()
      losing = {
        procedure,
        lost() {
          losing = null
          if (options?.andGoDown) {
            proxy.down = true
            proxy.cut()
          }
          resolve()
        },
      }
      return promise
    },
    async [Symbol.asyncDispose]() {
      proxy.cut()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}
