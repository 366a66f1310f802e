import { createServer } from 'node:http'
import { createBatcher } from '@baton/service'
import postgres from 'postgres'
import { type WebSocket, WebSocketServer } from 'ws'
import { serveCalls } from '../support/worker.ts'

/** The shortest durable way of output: a raw socket in, one statement for what gathers, then the same bytes to viewers. */
export type RawStream = { start(input: { databaseUrl: string }): Promise<{ port: number }> }

type Chunk = { seq: number; text: string; bytes: Buffer }

serveCalls({
  async start({ databaseUrl }) {
    const sql = postgres(databaseUrl, { max: 4, onnotice: () => {} })
    await sql`drop table if exists raw_stream`
    await sql`create table raw_stream (seq bigint primary key, body text not null)`
    const viewers = new Set<WebSocket>()
    const batch = createBatcher<Chunk, null>({
      flush: async (chunks) => {
        await insertTogether(sql, chunks)
        return chunks.map(() => null)
      },
      maxBytes: 4 * 1024 * 1024,
      sizeOf: (chunk) => chunk.bytes.length,
    })
    async function store(data: Buffer): Promise<number> {
      const space = data.indexOf(0x20)
      const seq = Number(data.toString('latin1', 0, space))
      await batch.add({ seq, text: data.toString('utf8', space + 1), bytes: data })
      for (const viewer of viewers) viewer.send(data, { binary: false })
      return seq
    }
    const server = createServer()
    new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket, request) => {
      if (request.url === '/view') viewers.add(socket)
      else
        socket.on('message', (data: Buffer) => void store(data).then((seq) => socket.send(String(seq)), fail))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    return { port: typeof address === 'object' && address !== null ? address.port : 0 }
  },
} satisfies RawStream)

function insertTogether(sql: postgres.Sql, chunks: Chunk[]) {
  return sql`
    with packed as materialized (select convert_to(${chunks.map((chunk) => chunk.text).join('')}::text, 'UTF8') as bytes)
    insert into raw_stream (seq, body)
    select c.seq, convert_from(substring(packed.bytes from (sum(c.bytes) over (order by c.place) - c.bytes)::int + 1 for c.bytes), 'UTF8')
    from packed, unnest(${chunks.map((chunk) => chunk.seq)}::bigint[], ${chunks.map((chunk) => Buffer.byteLength(chunk.text))}::int[])
      with ordinality as c (seq, bytes, place)`
}

function fail(error: unknown): void {
  process.stderr.write(`The raw stream failed: ${(error as Error).stack}\n`)
  process.exit(1)
}
