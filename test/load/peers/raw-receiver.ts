import postgres from 'postgres'
import { WebSocket } from 'ws'
import { nowMs } from '../support/now-ms.ts'
import { serveCalls } from '../support/worker.ts'
import type { RawQueueMode } from './raw-queue.ts'

export type RawReceiver = {
  start(input: { mode: RawQueueMode; databaseUrl: string; port: number }): Promise<void>
  received(input: { count: number }): Promise<void>
  times(input: null): Record<string, { pushedMs: number; acceptedMs: number }>
}

const times: Record<string, { pushedMs: number; acceptedMs: number }> = {}
let waiting: { count: number; resolve: () => void } | null = null

serveCalls({
  async start({ mode, databaseUrl, port }) {
    if (mode === 'push') await overSocket(port)
    else await overNotify(databaseUrl)
  },
  async received({ count }) {
    if (Object.keys(times).length < count)
      await new Promise<void>((resolve) => (waiting = { count, resolve }))
  },
  times: () => times,
} satisfies RawReceiver)

function overSocket(port: number): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false })
  socket.on('message', (data: Buffer) => note((JSON.parse(data.toString()) as { id: string }).id))
  return new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
}

async function overNotify(databaseUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 2, onnotice: () => {} })
  const claim = async () => {
    const rows = await sql<{ id: string }[]>`
      update raw_queue set state = 'leased', leased_until = now() + interval '30 s' where id = any(array(
        select id from raw_queue where state = 'pending' order by id limit 10 for update skip locked))
      returning id::text, body`
    for (const { id } of rows) note(id)
  }
  await claim()
  await sql.listen('raw_queue', () => void claim())
}

function note(id: string): void {
  times[id] = { pushedMs: nowMs(), acceptedMs: nowMs() }
  if (Object.keys(times).length >= (waiting?.count ?? Number.POSITIVE_INFINITY)) waiting?.resolve()
}
