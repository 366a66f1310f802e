import { findRunDiff, findSpawnReport, findUndo, listRunEvents } from '@baton/db'
import { isId, type RunChanges, type SpawnReport, UNDO_KINDS } from '@baton/protocol'
import { runChangesView, spawnView, transcriptPage, undoView } from '@baton/protocol/view-schemas'
import { z } from 'zod'
import { rest } from '../rest/rest-place.ts'
import { askForUndo } from './ask-for-undo.ts'
import { found } from './found.ts'
import { getRun, isOver } from './get-run.ts'
import { byId } from './inputs.ts'
import { memberProcedure, userProcedure } from './trpc.ts'

/** What of `runs` is about what a run left behind. */
export const runRecordProcedures = {
  /** How its agent was started and how it ended, for a person who looks for the cause; null until it has ended. */
  spawn: userProcedure
    .meta(rest('GET /runs/{id}/spawn', 'How the agent was started and how it ended'))
    .input(byId)
    .output(spawnView.nullable())
    .query(async ({ ctx, input }): Promise<SpawnReport | null> => {
      const run = await getRun(ctx, input.id)
      return findSpawnReport(ctx.connection.db, ctx.principal.organizationId, run.id)
    }),

  /** What a run changed in its workspace, with the diff. null: it has not ended, or nobody could tell. */
  changes: userProcedure
    .meta(rest('GET /runs/{id}/changes', 'What a run changed in its workspace, with the diff'))
    .input(byId)
    .output(runChangesView.nullable())
    .query(async ({ ctx, input }): Promise<RunChanges | null> => {
      const run = await getRun(ctx, input.id)
      const diff = await findRunDiff(ctx.connection.db, ctx.principal.organizationId, run.id)
      return run.changes && { ...run.changes, diff: diff ?? '' }
    }),

  undo: memberProcedure
    .meta(rest('POST /runs/{id}/undo', 'Put the workspace back to before a run, or forward again'))
    .input(byId.extend({ kind: z.enum(UNDO_KINDS).default('undo'), dryRun: z.boolean().default(false) }))
    .output(undoView)
    .mutation(({ ctx, input }) => askForUndo(ctx, input)),

  /** How an order to put a workspace back stands. */
  getUndo: userProcedure
    .meta(rest('GET /undos/{undoId}', 'How an order to put a workspace back stands'))
    .input(z.object({ undoId: z.string().max(200) }))
    .output(undoView)
    .query(async ({ ctx, input: { undoId } }) => {
      const { organizationId } = ctx.principal
      const undo = isId('undo', undoId) ? await findUndo(ctx.connection.db, organizationId, undoId) : null
      return found(undo, 'undo', undoId)
    }),

  /** A page of the transcript: from `fromSeq` on, or the last `tail` events. */
  transcript: userProcedure
    .meta(rest('GET /runs/{id}/transcript', 'A page of the transcript'))
    .input(
      byId.extend({
        fromSeq: z.number().int().min(1).default(1),
        limit: z.number().int().min(1).max(2_000).default(500),
        tail: z.number().int().min(1).max(2_000).optional(),
      }),
    )
    .output(transcriptPage)
    .query(async ({ ctx, input }) => {
      const run = await getRun(ctx, input.id)
      const afterSeq = input.tail ? Math.max(0, run.transcript.events - input.tail) : input.fromSeq - 1
      const events = await listRunEvents(ctx.connection.db, run.id, {
        afterSeq,
        limit: input.tail ?? input.limit,
        maxBytes: 4 * 1024 * 1024,
      })
      return { events, lastSeq: run.transcript.events, ended: isOver(run) }
    }),
}
