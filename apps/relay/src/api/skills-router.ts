import { createHash } from 'node:crypto'
import { deleteAgentSkill, listAgentSkills, setAgentSkill } from '@baton/db'
import { BatonError } from '@baton/protocol'
import { addedSkill, skillView } from '@baton/protocol/view-schemas'
import { z } from 'zod'
import { describeSkill } from '../jobs/describe-skill.ts'
import { rest } from '../rest/rest-place.ts'
import { agentChanged, getAgent } from './agents-router.ts'
import { found } from './found.ts'
import { key } from './inputs.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'

const MAX_SKILLS = 50
const ofAgent = z.object({ agent: z.string().min(1).max(200) })

/** Markdown files that an agent finds in its folder on its machine, each a `SKILL.md` in a folder of its name. */
export const skillsRouter = router({
  list: userProcedure
    .meta(rest('GET /agents/{agent}/skills', "An agent's skills"))
    .input(ofAgent)
    .output(z.array(skillView))
    .query(async ({ ctx, input }) => {
      const agent = await getAgent(ctx, input.agent)
      return listAgentSkills(ctx.connection.db, ctx.principal.organizationId, agent.id)
    }),

  /** A skill of the same name is replaced. */
  add: memberProcedure
    .meta(rest('PUT /agents/{agent}/skills/{name}', 'Give an agent a skill, or replace it'))
    .input(ofAgent.extend({ name: key, text: z.string().min(1, 'the skill is empty').max(200_000) }))
    .output(addedSkill)
    .mutation(async ({ ctx, input }) => {
      const agent = await getAgent(ctx, input.agent)
      if (agent.skills.length >= MAX_SKILLS && !agent.skills.some(({ name }) => name === input.name))
        throw new BatonError('bad_input', `An agent has at most ${MAX_SKILLS} skills; remove one first.`)
      const text = input.text.toWellFormed().replaceAll('\0', '\uFFFD')
      const skill = {
        name: input.name,
        description: describeSkill(text),
        text,
        hash: createHash('sha256').update(text).digest('hex'),
      }
      const isSet = await setAgentSkill(ctx.connection.db, ctx.principal.organizationId, agent.id, skill)
      found(isSet || null, 'agent', input.agent)
      agentChanged(ctx, agent.id)
      return { name: skill.name, description: skill.description, hash: skill.hash }
    }),

  remove: memberProcedure
    .meta(rest('DELETE /agents/{agent}/skills/{name}', 'Take a skill from an agent'))
    .input(ofAgent.extend({ name: z.string().max(200) }))
    .output(z.void())
    .mutation(async ({ ctx, input }) => {
      const agent = await getAgent(ctx, input.agent)
      const { organizationId } = ctx.principal
      const isGone = await deleteAgentSkill(ctx.connection.db, organizationId, agent.id, input.name)
      found(isGone || null, 'skill', input.name)
      agentChanged(ctx, agent.id)
    }),
})
