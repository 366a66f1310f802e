import type {
  MachineId,
  OrganizationId,
  RunId,
  UndoId,
  UndoKind,
  UndoOrder,
  UndoReport,
  UndoView,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

/**
 * Orders that a run's workspace is put back. While an order of a run is open no other one is taken: the open one is
 * answered instead, so that a repeated call orders nothing twice. Null: this organization has no such finished run.
 */
export async function insertUndo(
  db: Db,
  organizationId: OrganizationId,
  order: UndoOrder,
): Promise<(UndoView & { machineId: MachineId }) | null> {
  const { rows } = await sql<UndoRow>`
    with made as (
      insert into undos (id, organization_id, run_id, machine_id, kind, dry_run)
      select ${order.id}, r.organization_id, r.id, r.machine_id, ${order.kind}, ${order.dryRun}::boolean
      from runs r where r.id = ${order.runId} and r.organization_id = ${organizationId} and r.finish_key is not null
      on conflict (run_id) where state = 'asked' do nothing
      returning *
    )
    select * from made union all
    select u.* from undos u where u.run_id = ${order.runId} and u.organization_id = ${organizationId}
      and u.state = 'asked' and not exists (select from made)`.execute(db)
  const row = rows[0]
  return row ? { ...toUndoView(row), machineId: row.machine_id } : null
}

export async function findUndo(db: Db, organizationId: OrganizationId, id: UndoId): Promise<UndoView | null> {
  const { rows } = await sql<UndoRow>`
    select * from undos where id = ${id} and organization_id = ${organizationId}`.execute(db)
  return rows[0] ? toUndoView(rows[0]) : null
}

/** What the runner of a machine has still to carry out, oldest first. */
export async function listAskedUndos(db: Db, machineId: MachineId): Promise<UndoOrder[]> {
  const { rows } = await sql<{ id: UndoId; run_id: RunId; kind: UndoKind; dry_run: boolean }>`
    select id, run_id, kind, dry_run from undos
    where machine_id = ${machineId} and state = 'asked' order by id limit 100`.execute(db)
  return rows.map((row) => ({ id: row.id, runId: row.run_id, kind: row.kind, dryRun: row.dry_run }))
}

/** Records what came of orders of this machine. The same report again changes nothing; answers the runs it changed. */
export async function settleUndos(db: Db, machineId: MachineId, reports: UndoReport[]): Promise<RunId[]> {
  const { rows } = await sql<{ run_id: RunId }>`
    update undos u set state = r.state, message = r.message, files = r.files, blocked = r.blocked, settled_at = now()
    from json_to_recordset(${JSON.stringify(reports)}::text::json)
      as r (id text, state text, message text, files jsonb, blocked jsonb)
    where u.id = r.id and u.machine_id = ${machineId} and u.state = 'asked'
    returning u.run_id`.execute(db)
  return rows.map((row) => row.run_id)
}

export type UndoRow = {
  id: UndoId
  run_id: RunId
  machine_id: MachineId
  kind: UndoKind
  dry_run: boolean
  state: UndoView['state']
  message: string | null
  files: string[]
  blocked: UndoView['blocked']
  created_at: Date
  settled_at: Date | null
}

function toUndoView(row: UndoRow): UndoView {
  return {
    id: row.id,
    runId: row.run_id,
    kind: row.kind,
    dryRun: row.dry_run,
    state: row.state,
    message: row.message,
    files: row.files,
    blocked: row.blocked,
    askedAt: row.created_at.getTime(),
    settledAt: row.settled_at?.getTime() ?? null,
  }
}
