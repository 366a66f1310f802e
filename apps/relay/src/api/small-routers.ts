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
import { isId, type OverviewView, toId } from '@baton/protocol'
import { tracked } from '@trpc/server'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { drainSocket } from '../live/drain-socket.ts'
import { hashSecret, newSecret } from '../secrets/hash-secret.ts'
import { explain } from '../why/explain.ts'
import { found } from './found.ts'
import { byId, cursorOf, name, pageInput } from './inputs.ts'
import { getRun } from './runs-router.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'

const RECENT = 12
const TROUBLE_MS = 7 * 86_400_000

export const overviewRouter = router({
  get: userProcedure.query(async ({ ctx }): Promise<OverviewView> => {
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
  list: userProcedure.input(pageInput).query(async ({ ctx, input }) => {
    const items = await listRunSummaries(ctx.connection.db, ctx.principal.organizationId, {
      before: cursorOf('delivery', input.cursor),
      limit: input.limit,
    })
    return { items, nextCursor: items.length === input.limit ? (items.at(-1)?.deliveryId ?? null) : null }
  }),
  get: userProcedure.input(byId).query(({ ctx, input }) => getRun(ctx, input.id)),
})

export const tokensRouter = router({
  list: userProcedure.query(({ ctx }) => listTokens(ctx.connection.db, ctx.principal.organizationId)),
  /** The secret is in this answer and nowhere else. */
  create: memberProcedure.input(z.object({ name })).mutation(async ({ ctx, input }) => {
    const secret = newSecret('bt')
    const token = { id: toId('token', uuidv7()), name: input.name, secretHash: hashSecret(secret) }
    return { token: await insertToken(ctx.connection.db, ctx.principal, token), secret }
  }),
  revoke: memberProcedure.input(byId).mutation(async ({ ctx, input }) => {
    const id = found(isId('token', input.id) ? input.id : null, 'token', input.id)
    const hash = found(await revokeToken(ctx.connection.db, ctx.principal.organizationId, id), 'token', id)
    ctx.hints.send('revoked', hash)
  }),
})

export const whyRouter = router({
  explain: userProcedure.input(byId).query(({ ctx, input }) => explain(ctx, input.id)),
})
