import { connect, sql } from '@baton/db'
import { readJournal } from './journal.ts'
import type { Sent } from './send-hooks.ts'
import type { Supervised } from './supervise.ts'

/** Counts in the words of Jepsen's total-queue, from the ledgers outside and the database. All of `zero` must be 0. */
export type Findings = {
  attempted: number
  acknowledged: number
  requests: number
  kills: number
  restarts: number
  seconds: number
  zero: {
    lost: number
    unfinished: number
    duplicateEvents: number
    otherAnswers: number
    doubleAcked: number
    wrongTranscripts: number
    hungCalls: number
    refused: number
    unexpectedExits: number
  }
  executedTwice: number
  details: string[]
}

export async function checkLedgers(options: {
  databaseUrl: string
  sent: Sent
  journals: string[]
  processes: Supervised[]
  kills: number
  restarts: number
  startedAt: number
}): Promise<Findings> {
  const { sent } = options
  const connection = connect(options.databaseUrl, { max: 1 })
  try {
    const events = await connection.sql<{ id: string; key: string; deliveries: number; succeeded: number }[]>`
      select e.id, e.dedup_key as key, count(d.id)::int as deliveries,
        count(*) filter (where d.state = 'succeeded')::int as succeeded
      from events e left join deliveries d on d.event_id = e.id group by e.id`
    const wrong = await connection.sql<{ id: string }[]>`
      select r.id from deliveries d join runs r on r.id = d.run_id
      where d.state = 'succeeded' and (r.last_seq <> r.final_seq or r.last_hash <> r.final_hash
        or (select count(*) from run_events e where e.run_id = r.id) <> r.final_seq)`
    const finishes = await connection.sql<{ id: string }[]>`
      select delivery_id as id from accepted_finishes group by 1 having count(*) > 1`
    const states = await connection.sql<{ state: string; reason: string; n: number }[]>`
      select state, coalesce(reason, '') as reason, count(*)::int as n from deliveries group by 1, 2`
    const byId = new Map(events.map((event) => [event.id, event]))
    const records = options.journals.flatMap(readJournal)
    const started = count(records.flatMap((r) => (r.kind === 'started' ? [r.lease.deliveryId] : [])))
    const settled = count(
      records.flatMap((r) => (r.kind === 'done' && r.result === 'settled' ? [r.lease.deliveryId] : [])),
    )
    const hungInRunners = records.filter((record) => record.kind === 'hung')
    const exits = options.processes.flatMap((process) => process.unexpected)
    return {
      attempted: sent.attempted,
      acknowledged: sent.acknowledged.size,
      requests: sent.requests,
      kills: options.kills,
      restarts: options.restarts,
      seconds: Math.round((performance.now() - options.startedAt) / 1000),
      zero: {
        lost: [...sent.acknowledged.values()].filter((id) => !byId.has(id)).length,
        unfinished: events.filter((event) => event.deliveries !== 1 || event.succeeded !== 1).length,
        duplicateEvents: events.length - new Set(events.map((event) => event.key)).size,
        otherAnswers: sent.otherAnswers.length,
        doubleAcked: new Set([
          ...finishes.map((row) => row.id),
          ...[...settled].filter(([, times]) => times > 1).map(([id]) => id),
        ]).size,
        wrongTranscripts: wrong.length,
        hungCalls: sent.hung + hungInRunners.length,
        refused: [...sent.refused.values()].reduce((sum, times) => sum + times, 0),
        unexpectedExits: exits.length,
      },
      executedTwice: [...started.values()].filter((times) => times > 1).length,
      details: [
        `deliveries: ${states.map((row) => `${row.n} ${row.state} ${row.reason}`).join(', ')}`,
        `refused: ${JSON.stringify([...sent.refused])}`,
        `hung: ${sent.hung} requests, ${JSON.stringify([...count(hungInRunners.map((record) => (record.kind === 'hung' ? record.call : '')))])}`,
        ...exits.slice(0, 5).map((exit) => exit.slice(-2_500)),
      ],
    }
  } finally {
    await connection.close()
  }
}

/** Writes down every finish that the database takes, beside the tables of the relay. */
export async function auditFinishes(databaseUrl: string): Promise<void> {
  const connection = connect(databaseUrl, { max: 1 })
  try {
    await connection.sql.unsafe(`
      create table accepted_finishes (delivery_id text not null, finish_key text not null);
      create function note_finish() returns trigger language plpgsql as $$ begin
        insert into accepted_finishes values (new.delivery_id, new.finish_key); return null; end $$;
      create trigger note_finish after update on runs for each row
        when (new.finish_key is not null and (old.finish_key, old.finished_at, old.state)
          is distinct from (new.finish_key, new.finished_at, new.state))
        execute function note_finish()`)
  } finally {
    await connection.close()
  }
}

/** Deliveries that are neither finished nor waiting for a person. */
export async function countOpen(databaseUrl: string): Promise<number> {
  const connection = connect(databaseUrl, { max: 1 })
  try {
    const { rows } = await sql<{ open: number }>`select count(*)::int as open from deliveries
      where state in ('pending', 'leased', 'running', 'stalled', 'parked')`.execute(connection.db)
    return rows[0]?.open ?? 0
  } finally {
    await connection.close()
  }
}

function count(keys: string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

export function showFindings({ zero, details, ...rest }: Findings): string {
  const lines = Object.entries({ ...rest, ...zero }).map(([name, value]) => `  ${name.padEnd(18)} ${value}`)
  return [...lines, ...details.map((line) => `  ${line}`)].join('\n')
}
