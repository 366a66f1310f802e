import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'

export interface WebhookServer extends AsyncDisposable {
  port: number
  /** Sends an event to every process that is connected. */
  push(id: string, body: string): void
}

/**
 * What stands in front of a queue that takes webhooks, and behind one whose workers are elsewhere: signed requests in,
 * answered with the id that `store` gave them, and WebSockets out.
 */
export async function serveWebhooks(
  secret: string,
  store: (body: string) => Promise<string>,
): Promise<WebhookServer> {
  const receivers = new Set<WebSocket>()
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readAll(request)
    const sent = Buffer.from(String(request.headers['x-hub-signature-256']).slice('sha256='.length), 'hex')
    if (!timingSafeEqual(createHmac('sha256', secret).update(body).digest(), sent))
      throw new Error('Not signed.')
    const id = await store(body.toString('utf8'))
    const text = JSON.stringify({ eventId: id, deliveries: [id] })
    response.writeHead(202, { 'content-length': Buffer.byteLength(text) }).end(text)
  }
  const server = createServer((request, response) => void answer(request, response))
  const sockets = new WebSocketServer({ server, perMessageDeflate: false })
  sockets.on('connection', (socket) => {
    receivers.add(socket)
    socket.once('close', () => receivers.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    push(id, body) {
      for (const receiver of receivers) receiver.send(JSON.stringify({ id, body }))
    },
    async [Symbol.asyncDispose]() {
      for (const receiver of receivers) receiver.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
