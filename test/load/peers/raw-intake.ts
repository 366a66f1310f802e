import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createBatcher } from '@baton/service'
import postgres from 'postgres'
import { serveCalls } from '../support/worker.ts'

/**
 * What the relay's intake is compared with. `bare` checks the signature and answers: no server on these cores can do
 * more. `group` commits what arrives together with one plain statement into one narrow table. `single` is what most
 * programs do: one insert of a jsonb for each request.
 */
export type RawIntakeMode = 'bare' | 'group' | 'single'
export type RawIntake = {
  start(input: { mode: RawIntakeMode; databaseUrl: string; secret: string }): Promise<{ port: number }>
}

type Row = { key: string; body: Buffer }

serveCalls({
  async start({ mode, databaseUrl, secret }) {
    const sql = postgres(databaseUrl, { max: mode === 'single' ? 32 : 4, onnotice: () => {} })
    await createTable(sql, mode)
    const store = storeFor(mode, sql)
    const answer = async (request: IncomingMessage, response: ServerResponse) => {
      const body = await readAll(request)
      const sent = Buffer.from(String(request.headers['x-hub-signature-256']).slice('sha256='.length), 'hex')
      const isRight = timingSafeEqual(createHmac('sha256', secret).update(body).digest(), sent)
      if (isRight) await store({ key: createHash('sha256').update(body).digest('hex'), body })
      response.writeHead(isRight ? 202 : 401, { 'content-length': 2 }).end('{}')
    }
    const server = createServer((request, response) => void answer(request, response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    return { port: typeof address === 'object' && address !== null ? address.port : 0 }
  },
} satisfies RawIntake)

async function createTable(sql: postgres.Sql, mode: RawIntakeMode): Promise<void> {
  if (mode === 'bare') return
  const type = mode === 'group' ? 'bytea' : 'jsonb'
  await sql.unsafe(`drop table if exists raw_${mode}`)
  await sql.unsafe(
    `create table raw_${mode} (id bigserial primary key, key text not null unique, body ${type} not null)`,
  )
  if (mode === 'group')
    await sql.unsafe('alter table raw_group alter body set compression lz4').catch(keepPglz)
}

/** The embedded server is built without lz4, for the relay's tables too. */
function keepPglz(error: { code?: string }): void {
  if (error.code !== '0A000') throw error
}

function storeFor(mode: RawIntakeMode, sql: postgres.Sql): (row: Row) => Promise<unknown> {
  if (mode === 'bare') return async () => {}
  if (mode === 'single') {
    return ({ key, body }) =>
      sql`insert into raw_single (key, body) values (${key}, ${body.toString('utf8')}::text::jsonb) on conflict do nothing`
  }
  const batch = createBatcher<Row, null>({
    flush: async (rows) => {
      await insertTogether(sql, rows)
      return rows.map(() => null)
    },
    maxItems: 256,
  })
  return (row) => batch.add(row)
}

/** Bodies as one text that the server cuts apart: the cheapest way that this driver has. */
function insertTogether(sql: postgres.Sql, rows: Row[]) {
  const text = Buffer.concat(rows.map((row) => row.body)).toString('utf8')
  return sql`
    with packed as materialized (select convert_to(${text}::text, 'UTF8') as bytes)
    insert into raw_group (key, body)
    select r.key, substring(packed.bytes from (sum(r.bytes) over (order by r.place) - r.bytes)::int + 1 for r.bytes)
    from packed, unnest(${rows.map((row) => row.key)}::text[], ${rows.map((row) => row.body.length)}::int[])
      with ordinality as r (key, bytes, place)
    on conflict do nothing`
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
}
