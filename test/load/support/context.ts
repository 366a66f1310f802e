import type { Connection } from '@baton/db'

/** What every benchmark gets: the one database of the run, and how long it may take. */
export type BenchContext = {
  databaseUrl: string
  connection: Connection
  /** A process id of the Postgres server, for its CPU time. */
  postgresPid: number
  rounds: number
  /** Scales the counts: 1 for a whole run. */
  scale: number
  /** Where relay processes leave CPU profiles, or null. */
  profileDir: string | null
  /** Where plots are drawn, or null. */
  plotsDir: string | null
  /** For people who wait. */
  say: (line: string) => void
}
