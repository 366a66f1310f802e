import { deleteAgentSecret, listAgentSecrets, setAgentSecret } from '@baton/db'
import { BatonError, secretName } from '@baton/protocol'
import { z } from 'zod'
import { rest } from '../rest/rest-place.ts'
import { agentSecretContext } from '../secrets/agent-secret-context.ts'
import { sealSecret } from '../secrets/seal.ts'
import { agentChanged, getAgent } from './agents-router.ts'
import { found } from './found.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'

const MAX_SECRETS = 100
const ofAgent = z.object({ agent: z.string().min(1).max(200) })

/** Values for an agent's environment. They go in and come out only to the machine that runs the agent. */
export const secretsRouter = router({
  list: userProcedure
    .meta(rest('GET /agents/{agent}/secrets', "Names of an agent's secrets"))
    .input(ofAgent)
    .output(z.array(z.object({ name: z.string(), value: z.literal('***'), updatedAt: z.number() })))
    .query(async ({ ctx, input }) => {
      const agent = await getAgent(ctx, input.agent)
      const secrets = await listAgentSecrets(ctx.connection.db, ctx.principal.organizationId, agent.id)
      return secrets.map((secret) => ({ ...secret, value: '***' as const }))
    }),

  set: memberProcedure
    .meta(rest('PUT /agents/{agent}/secrets/{name}', 'Set a secret of an agent'))
    .input(
      ofAgent.extend({
        name: secretName,
        value: z
          .string()
          .min(1, 'the value is empty')
          .max(32_768)
          .refine((value) => !value.includes('\0'), 'an environment variable cannot hold a zero byte'),
      }),
    )
    .output(z.object({ agent: z.string(), name: z.string(), value: z.literal('***') }))
    .mutation(async ({ ctx, input }) => {
      const { db } = ctx.connection
      const agent = await getAgent(ctx, input.agent)
      if (agent.secretNames.length >= MAX_SECRETS && !agent.secretNames.includes(input.name))
        throw new BatonError('bad_input', `An agent has at most ${MAX_SECRETS} secrets; delete one first.`)
      const sealed = sealSecret(ctx.keys.seal, agentSecretContext(agent.id, input.name), input.value)
      const isSet = await setAgentSecret(db, ctx.principal.organizationId, {
        agentId: agent.id,
        name: input.name,
        sealed,
      })
      found(isSet || null, 'agent', input.agent)
      agentChanged(ctx, agent.id)
      return { agent: agent.key, name: input.name, value: '***' as const }
    }),

  delete: memberProcedure
    .meta(rest('DELETE /agents/{agent}/secrets/{name}', 'Delete a secret of an agent'))
    .input(ofAgent.extend({ name: z.string().max(200) }))
    .output(z.void())
    .mutation(async ({ ctx, input }) => {
      const agent = await getAgent(ctx, input.agent)
      const { organizationId } = ctx.principal
      const isGone = await deleteAgentSecret(ctx.connection.db, organizationId, agent.id, input.name)
      found(isGone || null, 'secret', input.name)
      agentChanged(ctx, agent.id)
    }),
})
