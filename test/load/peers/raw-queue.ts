import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import postgres from 'postgres'
import { type WebSocket, WebSocketServer } from 'ws'
import { serveCalls } from '../support/worker.ts'

/**
 * The shortest durable ways from a signed request to another process. `push`: insert, then send over a raw WebSocket
 * from memory. `notify`: insert and pg_notify in one transaction; the receiver LISTENs and claims with SKIP LOCKED.
 */
export type RawQueueMode = 'push' | 'notify'
export type RawQueue = {
  start(input: { mode: RawQueueMode; databaseUrl: string; secret: string }): Promise<{ port: number }>
}

serveCalls({
  async start({ mode, databaseUrl, secret }) {
    const sql = postgres(databaseUrl, { max: 4, onnotice: () => {} })
    await sql`create table if not exists raw_queue (id bigserial primary key, state text not null, body bytea not null)`
    await sql`truncate raw_queue`
    const receivers = new Set<WebSocket>()
    const answer = async (request: IncomingMessage, response: ServerResponse) => {
      const body = await readAll(request)
      const sent = Buffer.from(String(request.headers['x-hub-signature-256']).slice('sha256='.length), 'hex')
      if (!timingSafeEqual(createHmac('sha256', secret).update(body).digest(), sent))
        throw new Error('Not signed.')
      const id = mode === 'push' ? await insertClaimed(sql, body) : await insertAndNotify(sql, body)
      for (const receiver of receivers) receiver.send(JSON.stringify({ id, body: body.toString('utf8') }))
      const answer = JSON.stringify({ eventId: id, deliveries: [id] })
      response.writeHead(202, { 'content-length': Buffer.byteLength(answer) }).end(answer)
    }
    const server = createServer((request, response) => void answer(request, response))
    new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) =>
      receivers.add(socket),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    return { port: typeof address === 'object' && address !== null ? address.port : 0 }
  },
} satisfies RawQueue)

async function insertClaimed(sql: postgres.Sql, body: Buffer): Promise<string> {
  const [row] = await sql<{ id: string }[]>`
    insert into raw_queue (state, body) values ('leased', convert_to(${body.toString('utf8')}::text, 'UTF8')) returning id::text`
  return row?.id ?? ''
}

async function insertAndNotify(sql: postgres.Sql, body: Buffer): Promise<string> {
  const [row] = await sql<{ id: string }[]>`
    with new as (
      insert into raw_queue (state, body) values ('pending', convert_to(${body.toString('utf8')}::text, 'UTF8')) returning id
    )
    select id::text, pg_notify('raw_queue', id::text) from new`
  return row?.id ?? ''
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
