import type { AgentId, OrganizationId, Skill } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

/** A skill with the same name is replaced. False: this organization has no such agent. */
export async function setAgentSkill(
  db: Db,
  organizationId: OrganizationId,
  agentId: AgentId,
  skill: Skill,
): Promise<boolean> {
  const { rows } = await sql`
    insert into agent_skills as s (organization_id, agent_id, name, description, text, hash)
    select organization_id, id, ${skill.name}, ${skill.description}, ${skill.text}, ${skill.hash} from agents
    where id = ${agentId} and organization_id = ${organizationId} and archived_at is null
    on conflict (agent_id, name) do update set description = excluded.description, text = excluded.text,
      hash = excluded.hash, updated_at = now()
    returning s.name`.execute(db)
  return rows.length === 1
}

export async function listAgentSkills(
  db: Db,
  organizationId: OrganizationId,
  agentId: AgentId,
): Promise<(Skill & { updatedAt: number })[]> {
  const rows = await db
    .selectFrom('agent_skills')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('agent_id', '=', agentId)
    .orderBy('name')
    .execute()
  return rows.map(({ name, description, text, hash, updated_at }) => ({
    name,
    description,
    text,
    hash,
    updatedAt: updated_at.getTime(),
  }))
}

export async function deleteAgentSkill(
  db: Db,
  organizationId: OrganizationId,
  agentId: AgentId,
  name: string,
): Promise<boolean> {
  const result = await db
    .deleteFrom('agent_skills')
    .where('organization_id', '=', organizationId)
    .where('agent_id', '=', agentId)
    .where('name', '=', name)
    .executeTakeFirst()
  return result.numDeletedRows === 1n
}
