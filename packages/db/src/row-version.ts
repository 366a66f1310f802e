import { sql } from 'kysely'
import type { Db } from './connection.ts'

/** Tables whose rows people change field by field. */
export type VersionedTable = 'jobs' | 'agents' | 'machines' | 'outputs' | 'organizations'

/** What is another with every change of a row, whoever makes it. Null: there is no such row. */
export async function findRowVersion(db: Db, table: VersionedTable, id: string): Promise<string | null> {
  const { rows } = await sql<{ version: string }>`
    select xmin::text as version from ${sql.table(table)} where id = ${id}`.execute(db)
  return rows[0]?.version ?? null
}

/**
 * For the `where` of a change that must follow what was read: the row is still of this version. Of several such changes at
 * once, on any relays, the first one is made: the others wait for it and see its version. Without a version, any will do.
 */
export const isOfVersion = (version: string | undefined) =>
  version === undefined ? sql<boolean>`true` : sql<boolean>`xmin::text = ${version}`
