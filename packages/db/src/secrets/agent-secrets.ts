import type { AgentId, MachineId, OrganizationId, RunId, Skill } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

export type SealedSecret = { agentId: AgentId; name: string; sealed: string }

/** Stores a value that was sealed before it came here; there is no way to read it but `listRunSecrets`. */
export async function setAgentSecret(
  db: Db,
  organizationId: OrganizationId,
  { agentId, name, sealed }: SealedSecret,
): Promise<boolean> {
  const { rows } = await sql`
    insert into agent_secrets as s (organization_id, agent_id, name, sealed)
    select organization_id, id, ${name}, ${sealed} from agents
    where id = ${agentId} and organization_id = ${organizationId} and archived_at is null
    on conflict (agent_id, name) do update set sealed = excluded.sealed, updated_at = now()
    returning s.name`.execute(db)
  return rows.length === 1
}

/** Names and when each was last set. */
export async function listAgentSecrets(
  db: Db,
  organizationId: OrganizationId,
  agentId: AgentId,
): Promise<{ name: string; updatedAt: number }[]> {
  const rows = await db
    .selectFrom('agent_secrets')
    .select(['name', 'updated_at'])
    .where('organization_id', '=', organizationId)
    .where('agent_id', '=', agentId)
    .orderBy('name')
    .execute()
  return rows.map((row) => ({ name: row.name, updatedAt: row.updated_at.getTime() }))
}

export async function deleteAgentSecret(
  db: Db,
  organizationId: OrganizationId,
  agentId: AgentId,
  name: string,
): Promise<boolean> {
  const result = await db
    .deleteFrom('agent_secrets')
    .where('organization_id', '=', organizationId)
    .where('agent_id', '=', agentId)
    .where('name', '=', name)
    .executeTakeFirst()
  return result.numDeletedRows === 1n
}

/** A run that this machine was given under this fence and has not settled; nobody else may ask for what belongs to it. */
const heldRun = (machineId: MachineId, runId: RunId, fence: number) => sql`
  select agent_id from runs
  where id = ${runId} and machine_id = ${machineId} and fence = ${fence}::bigint and finish_key is null`

/**
 * The sealed secrets of a held run's agent, for the runner. Null: the machine does not hold that run. Also for a run whose
 * lease was overtaken meanwhile: it has the values already and needs them to keep them out of its transcript.
 */
export async function listRunSecrets(
  db: Db,
  machineId: MachineId,
  runId: RunId,
  fence: number,
): Promise<SealedSecret[] | null> {
  const { rows } = await sql<{ agent_id: AgentId; name: string | null; sealed: string | null }>`
    select held.agent_id, s.name, s.sealed from (${heldRun(machineId, runId, fence)}) held
    left join agent_secrets s on s.agent_id = held.agent_id`.execute(db)
  if (rows.length === 0) return null
  return rows.flatMap(({ agent_id, name, sealed }) =>
    name !== null && sealed !== null ? [{ agentId: agent_id, name, sealed }] : [],
  )
}

/** The skills of a held run's agent with their texts. Null: the machine does not hold that run. */
export async function listRunSkills(
  db: Db,
  machineId: MachineId,
  runId: RunId,
  fence: number,
): Promise<Skill[] | null> {
  const { rows } = await sql<Record<keyof Skill, string | null>>`
    select s.name, s.description, s.text, s.hash from (${heldRun(machineId, runId, fence)}) held
    left join agent_skills s on s.agent_id = held.agent_id order by s.name`.execute(db)
  if (rows.length === 0) return null
  return rows.filter((row): row is Skill => row.name !== null)
}
