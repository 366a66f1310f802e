import { type RawBuilder, sql } from 'kysely'

/**
 * All that waits for a machine, as a table `waiting (id, agent_id, priority)`. What has a lane and what has none stand in
 * an index each, so that what waits behind a busy lane is no burden to the rest; asked without this, neither serves.
 */
export const pendingOf = (machineId: RawBuilder<unknown>): RawBuilder<unknown> => sql`(
  select id, agent_id, priority from deliveries where machine_id = ${machineId} and state = 'pending' and lane is null
  union all
  select id, agent_id, priority from deliveries where machine_id = ${machineId} and state = 'pending' and lane is not null
) waiting`
