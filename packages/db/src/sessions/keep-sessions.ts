import { sql } from 'kysely'

/**
 * The part of a settle that keeps the conversations of its deliveries, or forgets those that are gone on their machine.
 * Only the newest attempt of a delivery is in `closed`, so the report of an older one changes no conversation.
 */
export const keepSessions = sql`,
    said as materialized (
      select distinct on (d.agent_id, d.conversation) d.organization_id, d.agent_id, d.conversation, a.runtime,
        d.machine_id, k."sessionId" as session_id, e.workspace as cwd, k."errorKind" = 'session_lost' as is_lost
      from closing k join closed c on c.id = k."deliveryId" join ended e on e.id = k."runId"
        join deliveries d on d.id = c.id join agents a on a.id = d.agent_id
      where d.conversation is not null
      order by d.agent_id, d.conversation, k."runId" desc
    ),
    kept as (
      insert into agent_sessions (organization_id, agent_id, conversation, runtime, machine_id, session_id, cwd)
      select organization_id, agent_id, conversation, runtime, machine_id, session_id, cwd from said
      where session_id is not null and is_lost is not true order by agent_id, conversation
      on conflict (agent_id, conversation) do update set runtime = excluded.runtime, machine_id = excluded.machine_id,
        session_id = excluded.session_id, cwd = excluded.cwd, updated_at = now()
    ),
    forgotten as (
      delete from agent_sessions s using said
      where said.is_lost and s.agent_id = said.agent_id and s.conversation = said.conversation
    )`
