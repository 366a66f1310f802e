import type {
  MachineFacts,
  MachineId,
  MachineState,
  MachineView,
  OrganizationId,
  RuntimeProbe,
} from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { pendingOf } from '../deliveries/pending-of.ts'

type Row = {
  id: MachineId
  name: string
  state: MachineState
  goodbye_cause: string | null
  goodbye_at: Date | null
  draining_at: Date | null
  last_heartbeat_at: Date | null
  hostname: string | null
  os: string | null
  arch: string | null
  runner_version: string | null
  slots: number
  runtimes: RuntimeProbe[]
  facts: MachineFacts | null
  live: number
  pending: number
  created_at: Date
}

/** Machines of an organization that are not archived, or the one with this id or name. */
export async function listMachineViews(
  db: Db,
  organizationId: OrganizationId,
  only?: { idOrName: string },
): Promise<MachineView[]> {
  const { rows } = await sql<Row>`
    select m.id, m.name, machine_state(m) as state, m.goodbye_cause, m.goodbye_at, m.draining_at, m.last_heartbeat_at, m.hostname,
      m.os, m.arch, m.runner_version, m.slots, m.runtimes, m.facts, m.created_at,
      (select count(*) from deliveries d where d.machine_id = m.id and d.state in ('leased', 'running', 'stalled')) as live,
      (select count(*) from (select 1 from ${pendingOf(sql`m.id`)} limit 1001) p)
        as pending
    from machines m
    where m.organization_id = ${organizationId}
      and ${only ? sql`(m.id = ${only.idOrName} or (m.name = ${only.idOrName} and m.archived_at is null))` : sql`m.archived_at is null`}
    order by m.created_at`.execute(db)
  return rows.map(toMachineView)
}

function toMachineView(row: Row): MachineView {
  const offlineSince = row.state === 'offline' ? (row.goodbye_at ?? row.last_heartbeat_at) : null
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    cause: causeOf(row),
    offlineSince: offlineSince?.getTime() ?? null,
    drainingAt: row.draining_at?.getTime() ?? null,
    lastHeartbeatAt: row.last_heartbeat_at?.getTime() ?? null,
    hostname: row.hostname,
    os: row.os,
    arch: row.arch,
    runnerVersion: row.runner_version,
    slots: row.slots,
    live: row.live,
    pending: row.pending,
    runtimes: row.runtimes,
    policy: row.facts?.policy ?? null,
    storage: row.facts?.storage ?? null,
    createdAt: row.created_at.getTime(),
  }
}

const GOODBYES: Record<string, string> = {
  stopped: 'Its runner was stopped.',
  restarting: 'Its runner was stopped; agents that it left working are taken up when it starts again.',
  sleeping: 'The computer went to sleep.',
}

function causeOf(row: Row): string | null {
  switch (row.state) {
    case 'revoked':
      return 'Its key was revoked.'
    case 'archived':
      return 'It was archived.'
    case 'draining':
      return row.live > 0
        ? `It takes no new work; ${row.live} at work there ${row.live === 1 ? 'ends' : 'end'} as usual.`
        : 'It takes no new work, and nothing is at work there.'
    case 'offline':
      return row.draining_at === null ? absence(row) : `${absence(row)} It takes no new work then, either.`
    default:
      return null
  }
}

function absence(row: Row): string {
  if (row.last_heartbeat_at === null) return 'Its runner has never connected.'
  return (
    GOODBYES[row.goodbye_cause ?? ''] ??
    'It stopped answering: asleep, without a network, or its runner ended unexpectedly.'
  )
}
