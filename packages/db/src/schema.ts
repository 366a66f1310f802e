import type { Selectable } from 'kysely'
import type { AgentTables } from './tables/agent-tables.ts'
import type { GithubTables } from './tables/github-tables.ts'
import type { PeopleTables } from './tables/people-tables.ts'
import type { WorkTables } from './tables/work-tables.ts'

/** The tables, column for column as in migrations/. Rows keep snake_case up to one `toX` mapper. */
export type Database = PeopleTables & GithubTables & AgentTables & WorkTables

export type MachineRow = Selectable<Database['machines']>
export type AgentRow = Selectable<Database['agents']>
export type JobRow = Selectable<Database['jobs']>
export type TriggerRow = Selectable<Database['triggers']>
export type EventRow = Selectable<Database['events']>
export type DeliveryRow = Selectable<Database['deliveries']>
export type RunRow = Selectable<Database['runs']>
