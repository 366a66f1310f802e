import { beginExport, listExportRows, listExportTranscripts } from '@baton/db'
import { EXPORT_KINDS, type ExportPage, type ExportStart } from '@baton/protocol'
import { z } from 'zod'
import { ownerProcedure } from './organization-router.ts'
import { router } from './trpc.ts'

const PAGE_BYTES = 4 * 1024 * 1024

/** Everything an organization has that had finished by a moment, page by page. For owners. */
export const exportRouter = router({
  begin: ownerProcedure.mutation(
    ({ ctx }): Promise<ExportStart> => beginExport(ctx.connection.db, ctx.principal.organizationId),
  ),

  /** The page after `cursor`; `next` is null after the last one. The same cursor gives the same page. */
  page: ownerProcedure
    .input(
      z.strictObject({
        kind: z.enum(EXPORT_KINDS),
        until: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/, 'use what begin gave'),
        cursor: z
          .string()
          .regex(/^[a-z]{3}_[0-9a-f]{32}(:(\d{1,15}|[0-9a-f]{32}))?$/, 'use what the page before gave')
          .nullish(),
        limit: z.number().int().min(1).max(2_000).default(1_000),
      }),
    )
    .query(({ ctx, input }): Promise<ExportPage> => {
      const { kind, until, limit } = input
      const filter = { until, after: input.cursor ?? null, limit, maxBytes: PAGE_BYTES }
      const { db } = ctx.connection
      const { organizationId } = ctx.principal
      return kind === 'transcripts'
        ? listExportTranscripts(db, organizationId, filter)
        : listExportRows(db, organizationId, kind, filter)
    }),
})
