import type {
  JobId,
  MachineId,
  OrganizationId,
  TriggerId,
  TriggerKind,
  WatchState,
  WebhookScheme,
} from '@baton/protocol'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../connection.ts'

/** `config` is what its kind's schema in the protocol made of it. A webhook has path, scheme and mostly a secret. */
export type NewTrigger = {
  id: TriggerId
  kind: TriggerKind
  path: string | null
  scheme: WebhookScheme | null
  sealedSecret: string | null
  config: object
}

/** Triggers as a table `t` of an insert. */
export function triggerRecords(triggers: NewTrigger[]): RawBuilder<unknown> {
  const rows = triggers.map(({ sealedSecret, ...trigger }) => ({ ...trigger, secret: sealedSecret }))
  return sql`json_to_recordset(${JSON.stringify(rows)}::text::json)
    as t (id text, kind text, path text, scheme text, secret text, config jsonb)`
}

/** False: this organization has no such job, or it has 20 triggers already. */
export async function insertTrigger(
  db: Db,
  organizationId: OrganizationId,
  jobId: JobId,
  trigger: NewTrigger,
): Promise<boolean> {
  const { rows } = await sql`
    insert into triggers (id, organization_id, job_id, kind, path, scheme, secrets, config)
    select t.id, j.organization_id, j.id, t.kind, t.path, t.scheme,
      case when t.secret is null then '{}' else array[t.secret] end, t.config
    from jobs j, ${triggerRecords([trigger])}
    where j.id = ${jobId} and j.organization_id = ${organizationId} and j.deleted_at is null
      and (select count(*) from triggers o where o.job_id = j.id and o.deleted_at is null) < 20
    returning id`.execute(db)
  return rows.length === 1
}

/**
 * False: this organization has no such trigger. A schedule that changes, or goes on after a pause, counts its slots from
 * now; nothing is made up for the time before.
 */
export async function updateTrigger(
  db: Db,
  organizationId: OrganizationId,
  id: TriggerId,
  change: { config?: object; paused?: boolean; deleted?: true },
): Promise<boolean> {
  const result = await db
    .updateTable('triggers')
    .set({
      ...(change.config && { config: change.config as Record<string, unknown>, watch: null }),
      ...(change.paused !== undefined && {
        paused_at: change.paused ? sql<Date>`coalesce(paused_at, now())` : null,
      }),
      ...(change.deleted && { deleted_at: sql<Date>`now()` }),
      next_fire_at: null,
    })
    .where('id', '=', id)
    .where('organization_id', '=', organizationId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

/**
 * The new secret becomes the first; the one before it stays valid beside it, unless `alone`. Null: no such webhook here.
 */
export async function rotateTriggerSecret(
  db: Db,
  organizationId: OrganizationId,
  id: TriggerId,
  sealedSecret: string,
  { alone = false }: { alone?: boolean } = {},
): Promise<WebhookScheme | null> {
  const { rows } = await sql<{ scheme: WebhookScheme }>`
    update triggers set secrets = array[${sealedSecret}::text] || case when ${alone}::boolean then '{}' else secrets[1:1] end
    where id = ${id} and organization_id = ${organizationId} and deleted_at is null and kind = 'webhook'
      and scheme <> 'none'
    returning scheme`.execute(db)
  return rows[0]?.scheme ?? null
}

export type WatchRow = { trigger_id: TriggerId; job_id: JobId; config: Record<string, unknown> }

/** The folders that a machine's runner should watch now, in a fixed order. */
export async function listWatches(db: Db, machineId: MachineId): Promise<WatchRow[]> {
  const { rows } = await sql<WatchRow>`
    select t.id as trigger_id, t.job_id, t.config
    from triggers t join jobs j on j.id = t.job_id join agents a on a.id = j.agent_id
    where a.machine_id = ${machineId} and a.archived_at is null and t.kind = 'file_change' and t.deleted_at is null
      and t.paused_at is null and j.deleted_at is null and j.disabled_at is null
    order by t.id limit 1000`.execute(db)
  return rows
}

/** What a machine says about its watches. Those that are not its own are left as they are. */
export async function saveWatchStates(
  db: Db,
  machineId: MachineId,
  states: (WatchState & { triggerId: TriggerId })[],
): Promise<void> {
  await sql`
    update triggers t set watch = jsonb_build_object('state', x.state, 'message', x.message,
      'at', floor(extract(epoch from now()) * 1000))
    from json_to_recordset(${JSON.stringify(states)}::text::json) as x ("triggerId" text, state text, message text),
      jobs j, agents a
    where t.id = x."triggerId" and t.kind = 'file_change' and j.id = t.job_id and a.id = j.agent_id
      and a.machine_id = ${machineId}`.execute(db)
}
