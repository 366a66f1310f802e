import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

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
  /** What every connection that is made from now on is like; null: as fast as it can be. */
  line: Line | null
  /** The connections of this moment carry nothing any more and nobody is told, as when a router forgets them. */
  freeze(): void
  /** Every push of deliveries reaches the runner twice. */
  repeatPushes: boolean
  /** The procedures that were called over HTTP, in order. */
  called: string[]
}

export type Line = { bytesPerSecond: number; latencyMs: number }

/** Stands between a runner and the relay, and does to their connection what networks do. */
export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const pairs = new Set<{ near: Socket; far: Socket; frozen: boolean }>()
  let losing: { procedure: string; lost: () => void } | null = null

  const server = createServer((near) => {
    if (proxy.down) return near.destroy()
    const far = connect(Number(new URL(proxy.target).port), '127.0.0.1')
    const pair = { near, far, frozen: false }
    pairs.add(pair)
    const [up, down] = [createCarrier(near, far, proxy.line), createCarrier(far, near, proxy.line)]
    let answerIsLost: (() => void) | null = null
    near.on('data', (part) => {
      const text = part.toString('latin1')
      if (proxy.refuseWebSockets && /^upgrade: websocket/im.test(text)) {
        near.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
        return
      }
      if (pair.frozen) return
      const procedure = /^POST \/trpc\/([\w.]+)/.exec(text)?.[1]
      if (procedure) proxy.called.push(procedure)
      if (losing && text.startsWith(`POST /trpc/${losing.procedure}`)) answerIsLost = losing.lost
      up(part)
    })
    far.on('data', (part) => {
      if (pair.frozen) return
      if (!answerIsLost) {
        down(part)
        if (proxy.repeatPushes && part.includes('"deliveries":[{')) down(part)
        return
      }
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
    line: null,
    repeatPushes: false,
    called: [],
    freeze() {
      for (const pair of pairs) pair.frozen = true
    },
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

/** Hands bytes on as the line does. What is on its way is bounded, so that whoever sends too much has to wait. */
function createCarrier(from: Socket, to: Socket, line: Line | null): (part: Buffer) => void {
  if (!line) return (part) => void to.write(part)
  let freeAt = performance.now()
  let onTheWay = 0
  return (part) => {
    onTheWay += part.length
    if (onTheWay > 4 * line.bytesPerSecond) from.pause()
    freeAt = Math.max(freeAt, performance.now()) + (part.length / line.bytesPerSecond) * 1_000
    void wait(freeAt + line.latencyMs - performance.now()).then(() => {
      onTheWay -= part.length
      if (onTheWay <= 4 * line.bytesPerSecond) from.resume()
      if (!to.destroyed) to.write(part)
    })
  }
}
