import { listDispatchViews, sendDispatchAgain, skipDispatch, toDispatchView } from '@baton/db'
import {
  BatonError,
  DISPATCH_STATES,
  type DispatchDetail,
  type DispatchView,
  isId,
  type Page,
} from '@baton/protocol'
import { dispatchDetail, dispatchView, pageOf } from '@baton/protocol/view-schemas'
import { z } from 'zod'
import { rest } from '../rest/rest-place.ts'
import { found } from './found.ts'
import { type Caller, getJob } from './get-job.ts'
import { getRun } from './get-run.ts'
import { byId, pageInput } from './inputs.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'

/** What was sent, is to be sent and could not be sent: the outbox. */
export const dispatchesRouter = router({
  list: userProcedure
    .meta(rest('GET /dispatches', 'What was sent, is to be sent and could not be sent'))
    .input(
      pageInput.extend({
        states: z.array(z.enum(DISPATCH_STATES)).optional(),
        /** An id or key. */
        job: z.string().max(200).optional(),
        /** The id of a run or delivery. */
        run: z.string().max(200).optional(),
        outputId: z.string().max(200).optional(),
        eventId: z.string().max(200).optional(),
      }),
    )
    .output(pageOf(dispatchView))
    .query(async ({ ctx, input }): Promise<Page<DispatchView>> => {
      const items = await listDispatchViews(ctx.connection.db, ctx.principal.organizationId, {
        states: input.states,
        jobId: input.job === undefined ? undefined : (await getJob(ctx, input.job)).id,
        deliveryId: input.run === undefined ? undefined : (await getRun(ctx, input.run)).deliveryId,
        outputId: known('output', input.outputId),
        eventId: known('event', input.eventId),
        before: known('dispatch', input.cursor ?? undefined),
        limit: input.limit,
      })
      return {
        items: items.map(toDispatchView),
        nextCursor: items.length === input.limit ? (items.at(-1)?.id ?? null) : null,
      }
    }),

  /** With every try. */
  get: userProcedure
    .meta(rest('GET /dispatches/{id}', 'One dispatch with every try'))
    .input(byId)
    .output(dispatchDetail)
    .query(({ ctx, input }) => getDispatch(ctx, input.id)),

  /** Starts over what was not sent, under the same key and with a full set of tries. */
  sendAgain: memberProcedure
    .meta(rest('POST /dispatches/{id}/send-again', 'Start over what was not sent'))
    .input(byId)
    .output(dispatchView)
    .mutation(async ({ ctx, input }): Promise<DispatchView> => {
      const dispatch = await getDispatch(ctx, input.id)
      if (dispatch.output && !dispatch.output.enabled) {
        throw new BatonError(
          'conflict',
          `Its output is switched off. Switch it on first: baton output enable ${dispatch.output.id}`,
        )
      }
      const again = await sendDispatchAgain(ctx.connection.db, ctx.principal.organizationId, dispatch.id)
      if (!again)
        throw new BatonError('conflict', `This dispatch is ${dispatch.state} and is not sent again.`)
      return changed(ctx, dispatch)
    }),

  skip: memberProcedure
    .meta(rest('POST /dispatches/{id}/skip', 'Decide against a sending that waits'))
    .input(byId)
    .output(dispatchView)
    .mutation(async ({ ctx, input }): Promise<DispatchView> => {
      const dispatch = await getDispatch(ctx, input.id)
      const skipped = await skipDispatch(ctx.connection.db, ctx.principal.organizationId, dispatch.id)
      if (!skipped)
        throw new BatonError(
          'conflict',
          `This dispatch is ${dispatch.state}; only one that waits can be skipped.`,
        )
      return changed(ctx, dispatch)
    }),
})

async function getDispatch(ctx: Caller, id: string): Promise<DispatchDetail> {
  const [dispatch] = isId('dispatch', id)
    ? await listDispatchViews(ctx.connection.db, ctx.principal.organizationId, { id, limit: 1 })
    : []
  return found(dispatch, 'dispatch', id)
}

async function changed(ctx: Caller, { id, runId }: DispatchView): Promise<DispatchView> {
  if (runId) ctx.changes.tell(ctx.principal.organizationId, 'run', runId)
  return toDispatchView(await getDispatch(ctx, id))
}

/** An id of another kind is one that nothing has. */
function known<K extends 'output' | 'event' | 'dispatch'>(kind: K, id: string | undefined) {
  if (id === undefined) return undefined
  if (!isId(kind, id)) throw new BatonError('bad_input', `"${id.slice(0, 100)}" is no id of a ${kind}.`)
  return id
}
