import type {
  EventId,
  ExportKind,
  ExportPage,
  ExportStart,
  ImportCounts,
  ImportState,
  OrganizationView,
  Retention,
  RowKind,
  RunId,
  StagesView,
} from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'

export type StagesOf = {
  /** A machine's id or name. */
  machineId?: string
  /** A job's id or key. */
  jobId?: string
  /** How far back, in ms; a week when absent. */
  sinceMs?: number
}

export type Organization = {
  get(): Promise<OrganizationView>
  /** For owners and admins. `retention` is how long finished work is kept, where a job says nothing else. */
  update(changes: { name?: string; retention?: Partial<Retention> }): Promise<OrganizationView>
  /** How long each step of the delivery ladder took: percentiles over at most the newest 5,000 runs. */
  stages(of?: StagesOf): Promise<StagesView>
  /** For owners: what `baton export` and `baton import` are made of. */
  exports: {
    begin(): Promise<ExportStart>
    page(of: { kind: ExportKind; until: string; cursor: string | null }): Promise<ExportPage>
  }
  imports: Imports
}

/** Every call names the export by its digest and may be repeated. */
export type Imports = {
  begin(digest: string): Promise<{ state: ImportState }>
  rows(digest: string, kind: RowKind, rows: unknown[]): Promise<void>
  body(digest: string, eventId: EventId, offset: number, piece: string): Promise<void>
  transcripts(digest: string, parts: { run: RunId; fromSeq: number; texts: string[] }[]): Promise<void>
  finish(digest: string, counts: ImportCounts): Promise<ImportCounts>
}

export function createOrganization(raw: Raw, call: Call): Organization {
  return {
    get: () => call(raw.organization.get.query()),
    update: (changes) => call(raw.organization.update.mutate(changes)),
    stages: (of = {}) => call(raw.stages.get.query(of)),
    exports: {
      begin: () => call(raw.export.begin.mutate()),
      page: (of) => call(raw.export.page.query(of)),
    },
    imports: {
      begin: (digest) => call(raw.import.begin.mutate({ digest })),
      rows: async (digest, kind, rows) => void (await call(raw.import.rows.mutate({ digest, kind, rows }))),
      body: async (digest, eventId, offset, piece) =>
        void (await call(raw.import.body.mutate({ digest, eventId, offset, piece }))),
      transcripts: async (digest, parts) =>
        void (await call(raw.import.transcripts.mutate({ digest, parts }))),
      finish: (digest, counts) => call(raw.import.finish.mutate({ digest, counts })),
    },
  }
}
