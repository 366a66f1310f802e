import { sql } from 'kysely'

/** The run `r` of the delivery `d` is the newest attempt, has not ended, and a machine has it: it can be talked to. */
export const isHeld = sql`r.finish_key is null and r.state in ('starting', 'running') and d.run_id = r.id and d.fence = r.fence
  and d.state in ('leased', 'running', 'stalled')`

/** Nothing can come of what was said to the run `r` of the delivery `d` any more, whatever is still on its way. */
export const isOver = sql`(r.finish_key is not null or d.fence <> r.fence or d.finished_at is not null)`
