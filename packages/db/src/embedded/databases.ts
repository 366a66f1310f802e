import postgres from 'postgres'

export interface CreateDatabaseOptions {
  /** Copies this database, file by file; nobody may be connected to it. */
  template?: string
}

/** Creates a database on the server of `url`; false when one of that name is there already. */
export async function createDatabase(
  url: string,
  name: string,
  options: CreateDatabaseOptions = {},
): Promise<boolean> {
  return withServer(url, async (sql) => {
    const template = options.template ? `template ${quote(options.template)} strategy file_copy` : ''
    try {
      await sql.unsafe(`create database ${quote(name)} ${template}`)
      return true
    } catch (error) {
      if (isAlreadyThere(error)) return false
      throw error
    }
  })
}

/** Drops a database and ends every connection to it. Nothing happens when there is none of that name. */
export async function dropDatabase(url: string, name: string): Promise<void> {
  await withServer(url, (sql) => sql.unsafe(`drop database if exists ${quote(name)} with (force)`))
}

/** Names of the databases that begin with `prefix`. */
export async function listDatabases(url: string, prefix: string): Promise<string[]> {
  return withServer(url, async (sql) => {
    const rows = await sql<
      { name: string }[]
    >`select datname as name from pg_database where starts_with(datname, ${prefix})`
    return rows.map((row) => row.name)
  })
}

/** The same server and account, another database. */
export function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${encodeURIComponent(name)}`
  return changed.href
}

async function withServer<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return await work(sql)
  } finally {
    await sql.end()
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** 42P04 duplicate_database; 23505 when two callers create it at the same instant. */
function isAlreadyThere(error: unknown): boolean {
  return error instanceof postgres.PostgresError && (error.code === '42P04' || error.code === '23505')
}
