import type {
  JobId,
  OrganizationId,
  OutputId,
  OutputKind,
  OutputMoment,
  OutputText,
  OutputView,
} from '@baton/protocol'
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../connection.ts'
import { isOfVersion } from '../row-version.ts'
import { outputTarget } from './output-target.ts'

export type NewOutput = {
  id: OutputId
  kind: OutputKind
  on: OutputMoment
  /** Without its secrets; a field that is one holds `***`. */
  config: Record<string, unknown>
  text: OutputText
  sealedSecrets: string | null
}

/** Outputs as a table `o (id, kind, moment, config, message, secrets)` for a statement. */
export function outputRecords(outputs: NewOutput[]): RawBuilder<unknown> {
  const rows = outputs.map(({ on, text, sealedSecrets, ...output }) => ({
    ...output,
    moment: on,
    message: text,
    secrets: sealedSecrets,
  }))
  return sql`json_to_recordset(${JSON.stringify(rows)}::text::json)
    as o (id text, kind text, moment text, config jsonb, message jsonb, secrets text)`
}

/** False: this organization has no such job. */
export async function insertOutputs(
  db: Db,
  organizationId: OrganizationId,
  jobId: JobId,
  outputs: NewOutput[],
): Promise<boolean> {
  const { rows } = await sql`
    insert into outputs (id, organization_id, job_id, kind, moment, config, message, secrets)
    select o.id, j.organization_id, j.id, o.kind, o.moment, o.config, o.message, o.secrets
    from jobs j, ${outputRecords(outputs)}
    where j.id = ${jobId} and j.organization_id = ${organizationId} and j.deleted_at is null
    returning id`.execute(db)
  return rows.length === outputs.length
}

export type OutputChange = Partial<Pick<NewOutput, 'on' | 'config' | 'text' | 'sealedSecrets'>> & {
  enabled?: boolean
  deleted?: true
  ifVersion?: string | undefined
}

/** False: this organization has no such output, or it is not of this version any more. */
export async function updateOutput(
  db: Db,
  organizationId: OrganizationId,
  id: OutputId,
  change: OutputChange,
): Promise<boolean> {
  const result = await db
    .updateTable('outputs')
    .set({
      organization_id: organizationId,
      ...(change.on !== undefined && { moment: change.on }),
      ...(change.config !== undefined && { config: change.config }),
      ...(change.text !== undefined && { message: change.text }),
      ...(change.sealedSecrets !== undefined && { secrets: change.sealedSecrets }),
      ...(change.enabled !== undefined && {
        disabled_at: change.enabled ? null : sql<Date>`coalesce(disabled_at, now())`,
        disabled_reason: null,
      }),
      ...(change.deleted && { deleted_at: sql<Date>`coalesce(deleted_at, now())` }),
    })
    .where('id', '=', id)
    .where('organization_id', '=', organizationId)
    .where('deleted_at', 'is', null)
    .where(isOfVersion(change.ifVersion))
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

export type StoredOutput = NewOutput & { jobId: JobId; organizationId: OrganizationId }

export async function findOutput(
  db: Db,
  organizationId: OrganizationId,
  id: OutputId,
): Promise<StoredOutput | null> {
  const row = await db
    .selectFrom('outputs')
    .selectAll()
    .where('id', '=', id)
    .where('organization_id', '=', organizationId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  if (!row) return null
  return {
    id: row.id,
    jobId: row.job_id,
    organizationId: row.organization_id,
    kind: row.kind,
    on: row.moment,
    config: row.config,
    text: row.message,
    sealedSecrets: row.secrets,
  }
}

/** The outputs of a job, or one of them, in the order of their making. */
export async function listOutputViews(
  db: Db,
  organizationId: OrganizationId,
  filter: { jobId?: JobId | undefined; id?: OutputId | undefined } = {},
): Promise<OutputView[]> {
  const { rows } = await sql<Row>`
    select o.*, j.key as job_key, l.id as last_id, l.state as last_state,
      coalesce(l.finished_at, l.created_at) as last_at
    from outputs o join jobs j on j.id = o.job_id left join lateral (
      select id, state, finished_at, created_at from dispatches d where d.output_id = o.id order by id desc limit 1) l on true
    where o.organization_id = ${organizationId} and o.deleted_at is null and j.deleted_at is null
      ${filter.jobId ? sql`and o.job_id = ${filter.jobId}` : sql``}
      ${filter.id ? sql`and o.id = ${filter.id}` : sql``}
    order by o.id`.execute(db)
  return rows.map((row) => ({
    id: row.id,
    job: { id: row.job_id, key: row.job_key },
    kind: row.kind,
    on: row.moment,
    target: outputTarget(row.kind, row.config),
    config: row.config,
    text: row.message,
    enabled: row.disabled_at === null,
    disabledReason: row.disabled_reason,
    last:
      row.last_id && row.last_state && row.last_at
        ? { id: row.last_id, state: row.last_state, at: row.last_at.getTime() }
        : null,
    createdAt: row.created_at.getTime(),
  }))
}

type Row = {
  id: OutputId
  job_id: JobId
  job_key: string
  kind: OutputKind
  moment: OutputMoment
  config: Record<string, unknown>
  message: OutputText
  disabled_at: Date | null
  disabled_reason: string | null
  created_at: Date
  last_id: NonNullable<OutputView['last']>['id'] | null
  last_state: NonNullable<OutputView['last']>['state'] | null
  last_at: Date | null
}
