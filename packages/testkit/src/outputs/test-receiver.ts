import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type ReceivedRequest = {
  path: string
  headers: Record<string, string | undefined>
  body: string
  at: number
}

/**
 * What a receiver does with a request that it has read whole: an answer, `lose` (cut the connection without one), `hang`
 * (never answer), `drip` (answer one byte a second) or a function that does it all.
 */
export type Reaction =
  | { status: number; headers?: Record<string, string>; body?: string }
  | 'lose'
  | 'hang'
  | 'drip'
  | ((request: ReceivedRequest, response: ServerResponse) => void)

export interface TestReceiver extends AsyncDisposable {
  url: string
  port: number
  received: ReceivedRequest[]
  /** The next requests in this order; when they are used up, what `always` says. */
  next(...reactions: Reaction[]): void
  always(reaction: Reaction): void
}

/** A real HTTP server that keeps what it got, on loopback. */
export async function startTestReceiver(host = '127.0.0.1'): Promise<TestReceiver> {
  const received: ReceivedRequest[] = []
  let planned: Reaction[] = []
  let usual: Reaction = { status: 200, body: 'ok' }
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const headers = request.headers as Record<string, string | undefined>
      const one = { path: request.url ?? '', headers, body, at: Date.now() }
      received.push(one)
      react(planned.shift() ?? usual, one, response)
    })
  })
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${host}:${port}`,
    port,
    received,
    next: (...reactions) => {
      planned = [...planned, ...reactions]
    },
    always: (reaction) => {
      usual = reaction
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function react(reaction: Reaction, request: ReceivedRequest, response: ServerResponse): void {
  if (typeof reaction === 'function') reaction(request, response)
  else if (reaction === 'lose') response.socket?.destroy()
  else if (reaction === 'drip') {
    response.writeHead(200).flushHeaders()
    const timer = setInterval(() => response.write('x'), 1_000)
    response.on('close', () => clearInterval(timer))
  } else if (reaction !== 'hang') {
    response.writeHead(reaction.status, reaction.headers).end(reaction.body ?? '')
  }
}
