import type { EventId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import type { InsertedEvent, NewEvent } from './new-event.ts'

/** What the first events under the keys of these repeats came to, by scope and key. */
export async function findFirst(
  db: Db,
  repeats: Pick<NewEvent, 'dedupScope' | 'dedupKey'>[],
): Promise<Map<string, InsertedEvent>> {
  const { rows } = await sql<{
    id: EventId
    scope: string
    key: string
    body_hash: string
    deliveries: InsertedEvent['deliveries'] | null
  }>`
    select e.id, e.dedup_scope as scope, e.dedup_key as key, e.body_hash,
      (select json_agg(json_build_object('id', d.id, 'runId', d.run_id, 'fence', d.fence) order by d.id)
        from deliveries d where d.id = any(array(
          select o.id from deliveries o where o.event_id = e.id union all select e.coalesced_into))) as deliveries
    from events e
    join unnest(${repeats.map((e) => e.dedupScope)}::text[], ${repeats.map((e) => e.dedupKey)}::text[]) as k (scope, key)
      on e.dedup_scope = k.scope and e.dedup_key = k.key`.execute(db)
  return new Map(
    rows.map((row) => [
      `${row.scope}\n${row.key}`,
      {
        eventId: row.id,
        inserted: false,
        bodyHash: row.body_hash,
        deliveries: row.deliveries ?? [],
        replaced: [],
      },
    ]),
  )
}

/** Whether an event came under this key before. */
export async function isEventStored(
  db: Db,
  { dedupScope, dedupKey }: Pick<NewEvent, 'dedupScope' | 'dedupKey'>,
): Promise<boolean> {
  const { rows } = await sql`
    select from events where dedup_scope = ${dedupScope} and dedup_key = ${dedupKey}`.execute(db)
  return rows.length > 0
}
