export {
  type CreateDatabaseOptions,
  createDatabase,
  dropDatabase,
  listDatabases,
  withDatabase,
} from './databases.ts'
export {
  type EmbeddedPostgres,
  type EmbeddedPostgresExit,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from './start-embedded-postgres.ts'
