import { readFileSync, writeFileSync } from 'node:fs'
import {
  DELIVERY_STATES,
  ERROR_KIND_NAMES,
  EVENT_SOURCES,
  EVENT_STATES,
  IGNORED_REASONS,
  OUTCOMES,
  RUN_STATES,
  RUNTIMES,
} from '@baton/protocol'
import { createTestDatabase } from '@baton/testkit'
import { expect, test } from 'vitest'
import { connect } from './connection.ts'
import { describeSchema } from './describe-schema.ts'
import { listMigrations, migrate } from './migrate.ts'

const FILE = new URL('../schema.sql', import.meta.url)

const inOrder = (one: string, other: string) => (one < other ? -1 : 1)

/** Named by agent CLIs, computers, receivers and GitHub. */
const IDS_OF_OTHERS = [
  'agent_sessions.session_id',
  'dispatches.external_id',
  'github_apps.client_id',
  'machines.boot_id',
  'machines.instance_id',
  'runs.session_id',
]

/** After a migration: UPDATE_SCHEMA=1 vitest run packages/db/src/schema.db.test.ts */
test('schema.sql is what the migrations make', async () => {
  await using database = await createTestDatabase()
  const connection = connect(database.url, { max: 1 })
  try {
    const text = `-- Made by the migrations; a test compares it. Do not edit: write a migration.\n\n${await describeSchema(connection.sql)}`
    if (process.env.UPDATE_SCHEMA === '1') writeFileSync(FILE, text)
    expect(text).toBe(readFileSync(FILE, 'utf8'))
  } finally {
    await connection.close()
  }
})

test('every id of ours is compared by its bytes, so that joins of two tables can use their indexes', async () => {
  await using database = await createTestDatabase()
  const connection = connect(database.url, { max: 1 })
  try {
    const rows = await connection.sql<{ name: string }[]>`
      select c.relname || '.' || a.attname as name
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_collation l on l.oid = a.attcollation
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and l.collname <> 'C'
        and (a.attname = 'id' or a.attname like '%\\_id')`
    expect(rows.map(({ name }) => name).toSorted(inOrder)).toEqual(IDS_OF_OTHERS)
  } finally {
    await connection.close()
  }
})

test('the words of the protocol and the CHECKs of the database are the same', () => {
  const schema = readFileSync(FILE, 'utf8')
  const words = (constraint: string) => {
    const line = schema.split('\n').find((text) => text.includes(`constraint ${constraint} `)) ?? ''
    return [...line.matchAll(/'([a-z_]+)'::text/g)].map((match) => match[1] ?? '').toSorted(inOrder)
  }
  expect(words('events_source_check')).toEqual(EVENT_SOURCES.toSorted(inOrder))
  expect(words('events_state_check')).toEqual(EVENT_STATES.toSorted(inOrder))
  expect(words('events_reason_check')).toEqual(IGNORED_REASONS.toSorted(inOrder))
  expect(words('deliveries_state_check')).toEqual(DELIVERY_STATES.toSorted(inOrder))
  expect(words('runs_state_check')).toEqual(RUN_STATES.toSorted(inOrder))
  expect(words('runs_outcome_check')).toEqual(OUTCOMES.toSorted(inOrder))
  expect(words('runs_error_kind_check')).toEqual(ERROR_KIND_NAMES.toSorted(inOrder))
  expect(words('agents_runtime_check')).toEqual(RUNTIMES.toSorted(inOrder))
})

test('every row that a tenant owns names its organization', () => {
  const schema = readFileSync(FILE, 'utf8')
  const tables = [...schema.matchAll(/^create table (\w+) \(([\s\S]*?)^\);/gm)]
  const shared = ['organizations', 'users']
  expect(tables.length).toBeGreaterThan(10)
  for (const [, name = '', columns = ''] of tables) {
    if (!shared.includes(name)) expect(columns, name).toContain('organization_id text not null')
  }
})

test('migrating twice, and twice at once, applies each migration once', async () => {
  await using database = await createTestDatabase()
  const connection = connect(database.url, { max: 1 })
  try {
    await connection.sql`drop schema public cascade`
    await connection.sql`create schema public`
    const applied = await Promise.all([migrate(database.url), migrate(database.url)])
    expect(applied.flat()).toEqual(listMigrations().map((migration) => migration.name))
    expect(await migrate(database.url)).toEqual([])
  } finally {
    await connection.close()
  }
})
