import { createHash } from 'node:crypto'
import postgres from 'postgres'
import { serveCalls } from '../support/worker.ts'
import { serveWebhooks } from './serve-webhooks.ts'

/**
 * The shortest durable ways from a signed request to another process, each request once and under a lease that ends. `push`: insert, then send over a raw WebSocket
 * from memory. `notify`: insert and pg_notify in one transaction; the receiver LISTENs and claims with SKIP LOCKED.
 */
export type RawQueueMode = 'push' | 'notify'
export type RawQueue = {
  start(input: { mode: RawQueueMode; databaseUrl: string; secret: string }): Promise<{ port: number }>
}

serveCalls({
  async start({ mode, databaseUrl, secret }) {
    const sql = postgres(databaseUrl, { max: 4, onnotice: () => {} })
    await sql`create table if not exists raw_queue (id bigserial primary key, key text not null unique, state text not null,
      leased_until timestamptz, body bytea not null)`
    await sql`truncate raw_queue`
    const server = await serveWebhooks(secret, async (body) => {
      if (mode === 'notify') return insertAndNotify(sql, body)
      const id = await insertClaimed(sql, body)
      server.push(id, body)
      return id
    })
    return { port: server.port }
  },
} satisfies RawQueue)

async function insertClaimed(sql: postgres.Sql, body: string): Promise<string> {
  const [row] = await sql<{ id: string }[]>`
    insert into raw_queue (key, state, leased_until, body)
    values (${hashOf(body)}, 'leased', now() + interval '30 s', convert_to(${body}::text, 'UTF8'))
    on conflict (key) do nothing returning id::text`
  return row?.id ?? ''
}

async function insertAndNotify(sql: postgres.Sql, body: string): Promise<string> {
  const [row] = await sql<{ id: string }[]>`
    with new as (
      insert into raw_queue (key, state, body)
      values (${hashOf(body)}, 'pending', convert_to(${body}::text, 'UTF8'))
      on conflict (key) do nothing returning id
    )
    select id::text, pg_notify('raw_queue', id::text) from new`
  return row?.id ?? ''
}

const hashOf = (body: string) => createHash('sha256').update(body).digest('hex')
