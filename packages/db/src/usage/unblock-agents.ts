import type { AgentId, JobId, MachineId, OrganizationId, RuntimeProbe } from '@baton/protocol'
import { sql } from 'kysely'
import type { Db } from '../connection.ts'
import { sameAccount } from './block-accounts.ts'

/** A blocked agent takes work again. */
const cleared = sql`blocked_reason = null, blocked_message = null, blocked_at = null, blocked_until = null`

const goOn = sql`state = 'pending', state_since = now(), parked_until = null, reason = null, reason_message = null`

/**
 * A person says that the agent may go on: it and all that share its account are unblocked, and what was parked for that
 * goes on at once. Answers the machine to be told, or null when this organization has no such agent.
 */
export async function unblockAgent(
  db: Db,
  organizationId: OrganizationId,
  id: AgentId,
): Promise<MachineId | null> {
  const { rows } = await sql<{ machine_id: MachineId }>`
    with own as materialized (
      select * from agents where id = ${id} and organization_id = ${organizationId}
    ),
    account as materialized (
      select a.id from own join agents a on ${sameAccount}
      where a.id = own.id or a.blocked_reason = own.blocked_reason
    ),
    freed as (
      update deliveries d set ${goOn}
      where d.id in (
        select p.id from deliveries p join account on account.id = p.agent_id
        where p.state = 'parked' and p.reason in ('quota', 'budget') order by p.id for update of p)
    ),
    locked as materialized (
      select id from agents where id in (select id from account) order by id for update
    ),
    unblocked as (
      update agents set ${cleared}, paused_at = case when id = ${id} then null else paused_at end, quota_strikes = 0
      where id in (select id from locked)
    )
    select machine_id from own`.execute(db)
  return rows[0]?.machine_id ?? null
}

/** A budget was raised or taken away: what is parked for it goes on, as far as the new one lets it. */
export async function freeBudgetWaits(
  db: Db,
  organizationId: OrganizationId,
  of: { agentId: AgentId } | { jobId: JobId },
): Promise<void> {
  const isOf = 'agentId' in of ? sql`p.agent_id = ${of.agentId}` : sql`p.job_id = ${of.jobId}`
  await sql`
    update deliveries d set ${goOn}
    where d.id in (
      select p.id from deliveries p
      where p.organization_id = ${organizationId} and ${isOf} and p.state = 'parked' and p.reason = 'budget'
      order by p.id for update)`.execute(db)
}

/**
 * The part of a hello that lets signed-out agents work again: their CLI says now that it is signed in, and either it did
 * not before or the runner was started anew. A login that is stored but no longer valid says "yes" all the time, so a mere
 * reconnect proves nothing. `before` is the machine as it was, `said` what the hello made of it.
 */
export const unblockSignedIn = (instanceId: string, runtimes: RuntimeProbe[]) => sql`,
    unblocked as (
      update agents a set ${cleared}
      from before, said, jsonb_array_elements(${JSON.stringify(runtimes)}::text::jsonb) as probe
      where a.machine_id = before.id and a.blocked_reason = 'not_signed_in' and probe ->> 'runtime' = a.runtime
        and probe ->> 'signedIn' = 'yes'
        and (before.instance_id is distinct from ${instanceId} or not before.runtimes @> jsonb_build_array(probe))
    )`
