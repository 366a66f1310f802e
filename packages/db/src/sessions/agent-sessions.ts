import type { AgentId, AgentSessionView, MachineId, OrganizationId, RunId, Runtime } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'

const MAX_SESSIONS = 500

/** The conversations that agents can go on with, the newest first. */
export async function listAgentSessions(
  db: Db,
  organizationId: OrganizationId,
  filter: { agentId?: AgentId; conversation?: string } = {},
): Promise<AgentSessionView[]> {
  const { rows } = await sql<{
    conversation: string
    agent_id: AgentId
    agent_key: string
    runtime: Runtime
    machine_id: MachineId
    machine_name: string
    session_id: string
    cwd: string | null
    updated_at: Date
  }>`
    select s.conversation, s.agent_id, a.key as agent_key, s.runtime, s.machine_id, m.name as machine_name, s.session_id,
      s.cwd, s.updated_at
    from agent_sessions s join agents a on a.id = s.agent_id join machines m on m.id = s.machine_id
    where s.organization_id = ${organizationId}
      ${filter.agentId ? sql`and s.agent_id = ${filter.agentId}` : sql``}
      ${filter.conversation === undefined ? sql`` : sql`and s.conversation = ${filter.conversation}`}
    order by s.updated_at desc limit ${MAX_SESSIONS}::int`.execute(db)
  return rows.map((row) => ({
    conversation: row.conversation,
    agent: { id: row.agent_id, key: row.agent_key },
    runtime: row.runtime,
    machine: { id: row.machine_id, name: row.machine_name },
    sessionId: row.session_id,
    cwd: row.cwd,
    updatedAt: row.updated_at.getTime(),
  }))
}

/** The next run of the conversation starts afresh. False: there is no such conversation here. */
export async function forgetAgentSession(
  db: Db,
  organizationId: OrganizationId,
  agentId: AgentId,
  conversation: string,
): Promise<boolean> {
  const result = await db
    .deleteFrom('agent_sessions')
    .where('organization_id', '=', organizationId)
    .where('agent_id', '=', agentId)
    .where('conversation', '=', conversation)
    .executeTakeFirst()
  return result.numDeletedRows === 1n
}

/**
 * Gives a run that belongs to no conversation one of its own, named like the run, so that it can be gone on with. False:
 * its agent left no session behind. Doing it twice changes nothing, and neither does doing it after the conversation
 * went on.
 */
export async function openConversationOfRun(
  db: Db,
  organizationId: OrganizationId,
  runId: RunId,
): Promise<boolean> {
  const { rows } = await sql`
    with asked as (
      select r.organization_id, r.agent_id, r.id, a.runtime, r.machine_id, r.session_id, r.workspace
      from runs r join agents a on a.id = r.agent_id
      where r.id = ${runId} and r.organization_id = ${organizationId} and r.session_id is not null
    ),
    opened as (
      insert into agent_sessions (organization_id, agent_id, conversation, runtime, machine_id, session_id, cwd)
      select * from asked on conflict (agent_id, conversation) do nothing
    )
    select id from asked`.execute(db)
  return rows.length === 1
}
