import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'

export type Migration = { name: string; text: string }

const FOLDER = new URL('../migrations/', import.meta.url)
/** Any number that no other program uses as an advisory lock in the same database. */
const LOCK = 4127_0001

export function listMigrations(folder: URL = FOLDER): Migration[] {
  return readdirSync(fileURLToPath(folder))
    .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
    .sort()
    .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }))
}

/**
 * Brings the schema up to date and returns the names of the migrations it applied. Several relays may call it at once:
 * an advisory lock lets one work while the others wait. Each migration is one transaction, on a connection of its own
 * that is closed afterwards. A database that knows a newer migration than this program is left as it is (the schema
 * only ever expands before old relays stop).
 */
export async function migrate(databaseUrl: string, migrations = listMigrations()): Promise<string[]> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {}, connect_timeout: 10 })
  const applied: string[] = []
  try {
    await sql`select pg_advisory_lock(${LOCK})`
    await sql`create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())`
    const known = new Set((await sql<{ name: string }[]>`select name from migrations`).map((row) => row.name))
    for (const migration of migrations) {
      if (known.has(migration.name)) continue
      await sql.begin(async (transaction) => {
        await transaction.unsafe(migration.text)
        await transaction`insert into migrations (name) values (${migration.name})`
      })
      applied.push(migration.name)
    }
    return applied
  } finally {
    await sql.end({ timeout: 5 })
  }
}
