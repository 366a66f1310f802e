import type { EventId, ExportRow, ImportCounts, ImportState, OrganizationId, RunId } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

/**
 * Opens the import of one export (named by its digest) into an organization that has nothing of its own yet, or goes on
 * with it. Null: this organization holds something else. `done`: all of it is here already.
 */
export async function beginImport(
  db: Db,
  organizationId: OrganizationId,
  digest: string,
): Promise<ImportState | null> {
  const { rows } = await sql<{ imported_at: Date | null }>`
    update organizations o set import_digest = ${digest}
    where o.id = ${organizationId} and (o.import_digest = ${digest} or (o.import_digest is null
      and not exists (select from machines where organization_id = o.id)
      and not exists (select from agents where organization_id = o.id)
      and not exists (select from jobs where organization_id = o.id)
      and not exists (select from events where organization_id = o.id)))
    returning imported_at`.execute(db)
  const row = rows[0]
  return row ? (row.imported_at ? 'done' : 'open') : null
}

/** Whether this import is under way here: nothing else may be written by one. */
export async function isImportOpen(db: Db, organizationId: OrganizationId, digest: string): Promise<boolean> {
  const { rows } = await sql`
    select from organizations where id = ${organizationId} and import_digest = ${digest} and imported_at is null`.execute(
    db,
  )
  return rows.length === 1
}

export async function importOrganization(
  db: Db,
  organizationId: OrganizationId,
  row: ExportRow<'organization'>,
): Promise<void> {
  await sql`
    update organizations set name = ${row.name}, keep_runs = ${row.retention.runs}, keep_days = ${row.retention.days}
    where id = ${organizationId}`.execute(db)
}

/** The next piece of a long event's body. A piece that is here already changes nothing. False: it does not follow. */
export async function importBody(
  db: Db,
  organizationId: OrganizationId,
  piece: { eventId: EventId; offset: number; bytes: Buffer },
): Promise<boolean> {
  const { rows } = await sql<{ known: number }>`
    with longer as (
      update events set body = body || ${piece.bytes}
      where id = ${piece.eventId} and organization_id = ${organizationId} and octet_length(body) = ${piece.offset}::int
      returning id
    )
    select octet_length(body) as known from events
    where id = ${piece.eventId} and organization_id = ${organizationId}
      and (octet_length(body) >= ${piece.offset + piece.bytes.length}::int or exists (select from longer))`.execute(
    db,
  )
  return rows.length === 1
}

export type ImportedRun = { id: RunId; machineId: `mch_${string}`; lastSeq: number; lastHash: string }

/** How far the transcripts of these runs are here; runs of others are left out. */
export async function listImportedRuns(
  db: Db,
  organizationId: OrganizationId,
  ids: readonly RunId[],
): Promise<ImportedRun[]> {
  const rows = await db
    .selectFrom('runs')
    .select(['id', 'machine_id', 'last_seq', 'last_hash'])
    .where('organization_id', '=', organizationId)
    .where('id', 'in', [...ids])
    .execute()
  return rows.map((row) => ({
    id: row.id,
    machineId: row.machine_id,
    lastSeq: row.last_seq,
    lastHash: row.last_hash,
  }))
}

/** Closes an import if these are the numbers of what is here; answers what is here. */
export async function finishImport(
  db: Db,
  organizationId: OrganizationId,
  digest: string,
  counts: ImportCounts,
): Promise<{ finished: boolean; here: ImportCounts }> {
  const { rows } = await sql<{ here: ImportCounts; finished: boolean }>`
    with here as materialized (
      select json_build_object(
        'machines', (select count(*) from machines where organization_id = ${organizationId}),
        'agents', (select count(*) from agents where organization_id = ${organizationId}),
        'skills', (select count(*) from agent_skills where organization_id = ${organizationId}),
        'sessions', (select count(*) from agent_sessions where organization_id = ${organizationId}),
        'usage', (select count(*) from usage_days where organization_id = ${organizationId}),
        'jobs', (select count(*) from jobs where organization_id = ${organizationId}),
        'triggers', (select count(*) from triggers where organization_id = ${organizationId}),
        'events', (select count(*) from events where organization_id = ${organizationId}),
        'deliveries', (select count(*) from deliveries where organization_id = ${organizationId}),
        'runs', (select count(*) from runs where organization_id = ${organizationId}),
        'approvals', (select count(*) from approvals where organization_id = ${organizationId}),
        'outputs', (select count(*) from outputs where organization_id = ${organizationId}),
        'dispatches', (select count(*) from dispatches where organization_id = ${organizationId}),
        'runEvents', (select coalesce(sum(last_seq), 0) from runs where organization_id = ${organizationId})
      )::jsonb as counts
    ),
    closed as (
      update organizations set imported_at = coalesce(imported_at, now())
      from here where id = ${organizationId} and import_digest = ${digest} and here.counts = ${JSON.stringify(counts)}::text::jsonb returning id
    )
    select here.counts as here, exists (select from closed) as finished from here`.execute(db)
  const row = rows[0]
  if (!row) throw new Error('The counts of an import answered nothing.')
  return row
}
