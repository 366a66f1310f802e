import type { MachineId, RunId } from '@baton/protocol'
import { sql } from 'kysely'
import { type ApprovalSteps, approvalTables } from '../approvals/append-steps.ts'
import type { Db } from '../connection.ts'

export type AppendItem = {
  runId: RunId
  machineId: MachineId
  fence: number
  fromSeq: number
  /** The rolling hash before the first and after the last event. */
  hashBefore: string
  hashAfter: string
  texts: string[]
  firstOutput: boolean
  consumed: boolean
  /** What the events do to approvals and to what was said to the run. */
  steps?: ApprovalSteps
}

/**
 * Stores the next events of several runs in one statement. A run's part is stored only if it follows exactly what is
 * stored (number and hash) and carries the run's fence; answers the runs whose part was stored. One item per run.
 */
export async function appendRunEvents(db: Db, items: AppendItem[]): Promise<Set<RunId>> {
  const texts = items.flatMap((item) => item.texts)
  const bytes = texts.map((text) => Buffer.byteLength(text))
  const from: number[] = []
  let offset = 1
  for (const length of bytes) {
    from.push(offset)
    offset += length
  }
  const owner = items.flatMap((item) => item.texts.map(() => item.runId))
  const seqs = items.flatMap((item) => item.texts.map((_, index) => item.fromSeq + index))
  const { rows } = await sql<{ id: RunId }>`
    with packed as materialized (select convert_to(${texts.join('')}::text, 'UTF8') as bytes),
    next as (
      update runs r set last_seq = a.from_seq - 1 + a.count, last_hash = a.hash_after,
        first_output_at = case when a.first_output = 1 then coalesce(r.first_output_at, now()) else r.first_output_at end,
        consumed_at = case when a.consumed = 1 then coalesce(r.consumed_at, now()) else r.consumed_at end
      from unnest(
        ${items.map((i) => i.runId)}::text[], ${items.map((i) => i.machineId)}::text[],
        ${items.map((i) => i.fence)}::bigint[], ${items.map((i) => i.fromSeq)}::bigint[],
        ${items.map((i) => i.texts.length)}::bigint[], ${items.map((i) => i.hashBefore)}::text[],
        ${items.map((i) => i.hashAfter)}::text[], ${items.map((i) => (i.firstOutput ? 1 : 0))}::int[],
        ${items.map((i) => (i.consumed ? 1 : 0))}::int[]
      ) as a (run_id, machine_id, fence, from_seq, count, hash_before, hash_after, first_output, consumed)
      where r.id = any(${items.map((i) => i.runId)}::text[]) and r.id = a.run_id
        and r.machine_id is not distinct from a.machine_id and r.fence is not distinct from a.fence
        and r.last_seq = a.from_seq - 1 and r.last_hash = a.hash_before
      returning r.id, r.organization_id, r.delivery_id, r.fence
    ),
    stored as (
      insert into run_events (run_id, seq, organization_id, body)
      select next.id, e.seq, next.organization_id, convert_from(substring(packed.bytes from e.from_byte for e.bytes), 'UTF8')
      from packed, unnest(${owner}::text[], ${seqs}::bigint[], ${from}::int[], ${bytes}::int[])
        as e (run_id, seq, from_byte, bytes)
      join next on next.id = e.run_id
    )${approvalTables(items)}
    select id from next`.execute(db)
  return new Set(rows.map((row) => row.id))
}
