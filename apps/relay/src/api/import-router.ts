import {
  beginImport,
  finishImport,
  importBody,
  importOrganization,
  importRows,
  isImportOpen,
} from '@baton/db'
import {
  appendRequest,
  BatonError,
  eventId,
  exportRows,
  type OrganizationId,
  ROW_KINDS,
  type RowKind,
  runId,
} from '@baton/protocol'
import { z } from 'zod'
import { importTranscripts } from '../export/import-transcripts.ts'
import type { ApiContext } from './context.ts'
import { ownerProcedure } from './organization-router.ts'
import { router } from './trpc.ts'

type Caller = ApiContext & { principal: { organizationId: OrganizationId } }

const digest = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.number().int().nonnegative()
/** The reader of an export sends what it verified; ids are kept, and each call may be repeated. For owners. */
const batch = z.strictObject({ digest })

export const importRouter = router({
  /** Names the export that fills this organization, which must hold nothing else. */
  begin: ownerProcedure.input(batch).mutation(async ({ ctx, input }) => {
    const state = await beginImport(ctx.connection.db, ctx.principal.organizationId, input.digest)
    if (state) return { state }
    throw new BatonError(
      'conflict',
      'This organization has machines, agents, jobs or events of its own, or another import in it. Import into one that is empty.',
    )
  }),

  rows: ownerProcedure
    .input(batch.extend({ kind: z.enum(ROW_KINDS), rows: z.array(z.unknown()).min(1).max(1_000) }))
    .mutation(async ({ ctx, input }) => {
      await assertOpen(ctx, input.digest)
      const { kind } = input
      const rows = readRows(kind, input.rows)
      await unlessUnfit(async () => {
        if (kind === 'organization') return importOne(ctx, rows)
        const left = await importRows(
          ctx.connection.db,
          ctx.principal.organizationId,
          kind,
          rows as { id: string }[],
        )
        if (left.length === 0) return
        throw new BatonError(
          'conflict',
          `${left.length} of the ${kind} cannot be here, first ${left[0]}: its id, key or address is taken on this relay, or it refers to something that is not in the export.`,
        )
      })
    }),

  /** The next piece of the body of an event that is too long for one call. In base64. */
  body: ownerProcedure
    .input(batch.extend({ eventId, offset: count, piece: z.base64() }))
    .mutation(async ({ ctx, input }) => {
      await assertOpen(ctx, input.digest)
      const bytes = Buffer.from(input.piece, 'base64')
      const { eventId, offset } = input
      if (await importBody(ctx.connection.db, ctx.principal.organizationId, { eventId, offset, bytes }))
        return
      throw new BatonError('conflict', `The body of ${eventId} does not go on at ${offset}; begin it again.`)
    }),

  transcripts: ownerProcedure
    .input(
      batch.extend({
        parts: z
          .array(
            z.strictObject({
              run: runId,
              fromSeq: z.number().int().min(1),
              texts: appendRequest.shape.events,
            }),
          )
          .min(1)
          .max(1_000),
      }),
    )
    .mutation(async ({ ctx, input }) => {
      await assertOpen(ctx, input.digest)
      await unlessUnfit(() => importTranscripts(ctx.connection.db, ctx.principal.organizationId, input.parts))
    }),

  /** Counts what is here; only when that is all of it is the import over. */
  finish: ownerProcedure
    .input(
      batch.extend({
        counts: z.strictObject({
          machines: count,
          agents: count,
          skills: count.default(0),
          sessions: count.default(0),
          usage: count.default(0),
          jobs: count,
          triggers: count,
          events: count,
          deliveries: count,
          runs: count,
          approvals: count,
          outputs: count,
          dispatches: count,
          runEvents: count,
        }),
      }),
    )
    .mutation(async ({ ctx, input }) => {
      const { organizationId } = ctx.principal
      const { finished, here } = await finishImport(
        ctx.connection.db,
        organizationId,
        input.digest,
        input.counts,
      )
      if (!finished) {
        throw new BatonError(
          'conflict',
          `Not everything is here yet: ${JSON.stringify(here)} of ${JSON.stringify(input.counts)}. Import it again; what is here stays.`,
        )
      }
      ctx.targets.forget()
      ctx.hints.send('config', organizationId)
      ctx.log.info({ organization: organizationId, ...here }, 'an organization was imported')
      return here
    }),
})

async function assertOpen(ctx: Caller, given: string): Promise<void> {
  if (await isImportOpen(ctx.connection.db, ctx.principal.organizationId, given)) return
  throw new BatonError('conflict', 'No import of this export is under way here; begin it first.')
}

function readRows(kind: RowKind, rows: unknown[]): unknown[] {
  for (const [index, row] of rows.entries()) {
    const parsed = exportRows[kind].safeParse(row)
    if (!parsed.success) {
      const why = z.prettifyError(parsed.error).replaceAll('\n', ' ')
      throw new BatonError('bad_input', `Row ${index + 1} of these ${kind} is not right. ${why}`)
    }
  }
  // As they came: what the schema would fill in or leave out would make another row of it.
  return rows
}

async function importOne(ctx: Caller, rows: unknown[]): Promise<void> {
  const row = exportRows.organization.parse(rows[0])
  await importOrganization(ctx.connection.db, ctx.principal.organizationId, row)
}

/** A value that the database cannot hold is the sender's mistake. */
async function unlessUnfit<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    const { code } = cause as { code?: unknown }
    if (typeof code === 'string' && /^(22|23|54)/.test(code)) {
      throw new BatonError(
        'bad_input',
        'A value in this export cannot be stored; it was not written by Baton.',
        {
          cause,
        },
      )
    }
    throw cause
  }
}
