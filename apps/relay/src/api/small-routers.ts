import {
  insertToken,
  listAgentViews,
  listApprovals,
  listJobViews,
  listMachineViews,
  listRunSummaries,
  listTokens,
  listTroubledDispatches,
  revokeToken,
  toDispatchView,
} from '@baton/db'
import { BatonError, isId, type OverviewView, TOKEN_SCOPES, toId } from '@baton/protocol'
import { overviewView, pageOf, runSummary, runView, tokenView, whyView } from '@baton/protocol/view-schemas'
import { tracked } from '@trpc/server'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { drainSocket } from '../live/drain-socket.ts'
import { rest } from '../rest/rest-place.ts'
import { hashSecret, newSecret } from '../secrets/hash-secret.ts'
import { explain } from '../why/explain.ts'
import { found } from './found.ts'
import { getRun } from './get-run.ts'
import { byId, cursorOf, name, pageInput } from './inputs.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'

const RECENT = 12
const TROUBLE_MS = 7 * 86_400_000

export const overviewRouter = router({
  get: userProcedure
    .meta(rest('GET /overview', 'Everything at one glance'))
    .output(overviewView)
    .query(async ({ ctx }): Promise<OverviewView> => {
      const { organizationId } = ctx.principal
      const { db } = ctx.connection
      const [machines, agents, running, recent, jobs, openApprovals, troubled] = await Promise.all([
        listMachineViews(db, organizationId),
        listAgentViews(db, organizationId),
        listRunSummaries(db, organizationId, { finished: false, limit: 50 }),
        listRunSummaries(db, organizationId, { finished: true, limit: RECENT }),
        listJobViews(db, organizationId, ctx.config.publicUrl),
        listApprovals(db, organizationId, { state: 'open', newestFirst: false, limit: 50 }),
        listTroubledDispatches(db, organizationId, { sinceMs: TROUBLE_MS, limit: 20 }),
      ])
      return {
        machines,
        agents,
        running,
        recent,
        jobs: jobs.length,
        openApprovals,
        troubledDispatches: troubled.map(toDispatchView),
      }
    }),
})

export const liveRouter = router({
  /** Hints about what changed. The ids only order them: after a reconnect the reader asks for everything it shows. */
  changes: userProcedure
    .input(z.object({ lastEventId: z.string().nullish() }).optional())
    .subscription(async function* ({ ctx, signal }) {
      if (!signal) return
      for await (const batch of ctx.changes.watch(ctx.principal.organizationId, signal)) {
        yield tracked(uuidv7(), batch)
        await drainSocket(ctx.socket, signal)
      }
    }),
})

export const deliveriesRouter = router({
  list: userProcedure
    .meta(rest('GET /deliveries', 'Deliveries with their newest runs, newest first'))
    .input(pageInput)
    .output(pageOf(runSummary))
    .query(async ({ ctx, input }) => {
      const items = await listRunSummaries(ctx.connection.db, ctx.principal.organizationId, {
        before: cursorOf('delivery', input.cursor),
        limit: input.limit,
      })
      return { items, nextCursor: items.length === input.limit ? (items.at(-1)?.deliveryId ?? null) : null }
    }),
  get: userProcedure
    .meta(rest('GET /deliveries/{id}', 'The newest run of a delivery'))
    .input(byId)
    .output(runView)
    .query(({ ctx, input }) => getRun(ctx, input.id)),
})

export const tokensRouter = router({
  list: userProcedure
    .meta(rest('GET /tokens', 'API tokens, without their secrets'))
    .output(z.array(tokenView))
    .query(({ ctx }) => listTokens(ctx.connection.db, ctx.principal.organizationId)),
  /** The secret is in this answer and nowhere else. Without `scopes` it may do what its maker may. */
  create: memberProcedure
    .meta(
      rest('POST /tokens', 'Make an API token; its secret is in this answer and nowhere else', {
        created: '/tokens',
      }),
    )
    .input(z.object({ name, scopes: z.array(z.enum(TOKEN_SCOPES)).min(1).max(10).optional() }))
    .output(z.object({ token: tokenView, secret: z.string() }))
    .mutation(async ({ ctx, input }) => {
      const own = ctx.principal.scopes
      const beyond = (input.scopes ?? []).filter((scope) => !own.includes(scope))
      if (beyond.length > 0)
        throw new BatonError(
          'forbidden',
          `A token cannot make one that may do more than itself: leave ${beyond.join(', ')} out.`,
        )
      const secret = newSecret('bt')
      const token = {
        id: toId('token', uuidv7()),
        name: input.name,
        secretHash: hashSecret(secret),
        scopes: TOKEN_SCOPES.filter((scope) => (input.scopes ?? own).includes(scope)),
      }
      return { token: await insertToken(ctx.connection.db, ctx.principal, token), secret }
    }),
  revoke: memberProcedure
    .meta(rest('DELETE /tokens/{id}', 'End a token at once'))
    .input(byId)
    .output(z.void())
    .mutation(async ({ ctx, input }) => {
      const id = found(isId('token', input.id) ? input.id : null, 'token', input.id)
      const hash = found(await revokeToken(ctx.connection.db, ctx.principal.organizationId, id), 'token', id)
      ctx.hints.send('revoked', hash)
    }),
})

export const whyRouter = router({
  explain: userProcedure
    .meta(rest('GET /why/{id}', 'What stands between something and its next step'))
    .input(byId)
    .output(whyView)
    .query(({ ctx, input }) => explain(ctx, input.id)),
})
