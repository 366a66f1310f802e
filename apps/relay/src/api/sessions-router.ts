import { forgetAgentSession, listAgentSessions } from '@baton/db'
import { agentSessionView } from '@baton/protocol/view-schemas'
import { z } from 'zod'
import { rest } from '../rest/rest-place.ts'
import { getAgent } from './agents-router.ts'
import { found } from './found.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'

/** The conversations that agents can go on with. */
export const sessionsRouter = router({
  list: userProcedure
    .meta(rest('GET /sessions', 'Conversations that agents can go on with'))
    .input(z.object({ agent: z.string().max(200).optional() }).optional())
    .output(z.array(agentSessionView))
    .query(async ({ ctx, input }) => {
      const filter = input?.agent === undefined ? {} : { agentId: (await getAgent(ctx, input.agent)).id }
      return listAgentSessions(ctx.connection.db, ctx.principal.organizationId, filter)
    }),

  /** Its next run starts afresh. What the agent's own CLI keeps of it stays on the machine. */
  forget: memberProcedure
    .input(z.object({ agent: z.string().max(200), conversation: z.string().max(500) }))
    .mutation(async ({ ctx, input }) => {
      const agent = await getAgent(ctx, input.agent)
      const { organizationId } = ctx.principal
      const isGone = await forgetAgentSession(ctx.connection.db, organizationId, agent.id, input.conversation)
      found(isGone || null, 'conversation', input.conversation)
    }),
})
