import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type CuttingProxy = AsyncDisposable & {
  url: string
  /** Ends every connection at once, without a goodbye. */
  cut(): void
  /** What the relay answers from now on is kept here until `release`. */
  holdAnswers(): void
  release(): void
  /** New WebSockets are refused while HTTP goes through, as some companies' proxies do. */
  refuseWebSockets: boolean
  /** Nobody gets through at all. */
  down: boolean
}

/** Stands between a runner and the relay, and does to their connection what networks do. */
export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const { port: targetPort } = new URL(target)
  const pairs = new Set<{ near: Socket; far: Socket }>()
  let holding = false

  const server = createServer((near) => {
    if (proxy.down) return near.destroy()
    const far = connect(Number(targetPort), '127.0.0.1')
    const pair = { near, far }
    pairs.add(pair)
    near.once('data', (first) => {
      if (proxy.refuseWebSockets && /upgrade: websocket/i.test(first.toString('latin1')))
        return near.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
      far.write(first)
      near.pipe(far)
    })
    far.pipe(near)
    if (holding) far.pause()
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
    refuseWebSockets: false,
    down: false,
    cut() {
      for (const { near, far } of pairs) {
        near.destroy()
        far.destroy()
      }
    },
    holdAnswers() {
      holding = true
      for (const { near, far } of pairs) {
        far.unpipe(near)
        far.pause()
      }
    },
    release() {
      holding = false
      for (const { near, far } of pairs) far.pipe(near)
    },
    async [Symbol.asyncDispose]() {
      proxy.cut()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}
