import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

export type Weather = {
  /** Added to every chunk, both ways. */
  latencyMs: number
  jitterMs: number
  /** Bytes a second each way; null for no limit. */
  bytesPerSecond: number | null
  /** Nothing passes and nothing is closed: a half-open connection. */
  blackHole: boolean
  /** Each connection is reset after so many bytes from the client; null for never. */
  resetAfterBytes: number | null
  /** Chunks are cut into pieces of this size; null to leave them whole. */
  sliceBytes: number | null
}

export interface TcpProxy extends AsyncDisposable {
  url: string
  port: number
  /** Holds for every connection from now on, also the open ones. */
  weather: Weather
  /** What is open now passes nothing any more and is not closed; connections made later are not touched. */
  freeze(): void
  /** Resets every open connection. */
  cut(): void
  /** Connections go there from now on. */
  target(port: number): void
  /** Connections that were made so far. */
  connections(): number
}

const CLEAR: Weather = {
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: null,
  blackHole: false,
  resetAfterBytes: null,
  sliceBytes: null,
}

/** A network between a client and a server on this computer, whose weather a test makes. */
export async function startTcpProxy(targetPort: number, weather: Partial<Weather> = {}): Promise<TcpProxy> {
  let port = targetPort
  let made = 0
  const open = new Set<net.Socket>()
  const living = new Set<Passage>()
  const proxy = {
    weather: { ...CLEAR, ...weather },
    freeze() {
      for (const passage of living) passage.isFrozen = true
    },
    cut() {
      for (const socket of open) reset(socket)
    },
    target(next: number) {
      port = next
    },
    connections: () => made,
  }
  const server = net.createServer((client) => {
    made++
    const upstream = net.connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => socket.destroy())
      socket.once('close', () => open.delete(socket))
    }
    const passage: Passage = { bytes: 0, isFrozen: false }
    living.add(passage)
    client.once('close', () => living.delete(passage))
    void pass(client, upstream, proxy, passage, true)
    void pass(upstream, client, proxy, passage, false)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const listening = (server.address() as net.AddressInfo).port
  return Object.assign(proxy, {
    port: listening,
    url: `http://127.0.0.1:${listening}`,
    async [Symbol.asyncDispose]() {
      proxy.cut()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

/** One connection through the proxy; `bytes` came from the client. */
type Passage = { bytes: number; isFrozen: boolean }

/** One direction of one connection. What comes from the client counts towards a reset. */
async function pass(
  from: net.Socket,
  to: net.Socket,
  proxy: { weather: Weather },
  passage: Passage,
  isFromClient: boolean,
) {
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (const piece of slices(chunk, proxy.weather)) {
        await delay(piece.length, proxy)
        while (passage.isFrozen && !to.destroyed) await wait(20)
        if (to.destroyed) return
        to.write(piece)
        if (to.writableNeedDrain) await drained(to)
        if (isFromClient) passage.bytes += piece.length
        const { resetAfterBytes } = proxy.weather
        if (isFromClient && resetAfterBytes !== null && passage.bytes >= resetAfterBytes) return reset(from)
      }
    }
    to.end()
  } catch {
    // The reading side was reset; the other learns it below.
  } finally {
    if (from.errored || from.destroyed) to.destroy()
  }
}

/** A reset beside a shutdown that is still under way is refused (EINVAL) and Node then never closes the socket. */
function reset(socket: net.Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}

function* slices(chunk: Buffer, { sliceBytes }: Weather): Generator<Buffer> {
  const size = sliceBytes ?? chunk.length
  for (let at = 0; at < chunk.length; at += size) yield chunk.subarray(at, at + size)
}

async function delay(bytes: number, proxy: { weather: Weather }) {
  const { latencyMs, jitterMs, bytesPerSecond } = proxy.weather
  const ms = latencyMs + jitterMs * Math.random() + (bytesPerSecond ? (bytes / bytesPerSecond) * 1_000 : 0)
  if (ms >= 1) await wait(ms)
  while (proxy.weather.blackHole) await wait(20)
}

function drained(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('drain', resolve)
    socket.once('close', resolve)
  })
}
