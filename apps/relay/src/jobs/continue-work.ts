import { findRunView, listAgentSessions, openConversationOfRun } from '@baton/db'
import { type AgentView, BatonError, type OrganizationId, type RunView } from '@baton/protocol'
import { chooseAgent, getAgent } from '../api/agents-router.ts'
import type { ApiContext } from '../api/context.ts'
import { found } from '../api/found.ts'

type Caller = ApiContext & { principal: { organizationId: OrganizationId } }

/** Who does the work, in which conversation, and where: null is the agent's own choice. */
export type Continued = { agent: AgentView; conversation: string; workspace: string | null }

/** The conversation of a run (its id or the start of one), or one by its name, ready to be gone on with. */
export async function continueWork(ctx: Caller, what: string, agentKey: string): Promise<Continued> {
  const { db } = ctx.connection
  const { organizationId } = ctx.principal
  if (/^(run|dlv)_/.test(what)) {
    const run = found(await findRunView(db, organizationId, what), 'run', what)
    return { ...(await continueRun(ctx, run)), workspace: run.requestedWorkspace }
  }
  const wanted = agentKey === 'auto' ? {} : { agentId: (await chooseAgent(ctx, agentKey)).id }
  const sessions = await listAgentSessions(db, organizationId, { ...wanted, conversation: what })
  if (sessions.length > 1) {
    const keys = sessions.map((session) => session.agent.key).join(', ')
    throw new BatonError('bad_input', `Several agents have a conversation "${what}" (${keys}): say which.`)
  }
  const session = found(sessions[0], 'conversation', what)
  return { agent: await getAgent(ctx, session.agent.id), conversation: what, workspace: null }
}

async function continueRun(ctx: Caller, run: RunView): Promise<Omit<Continued, 'workspace'>> {
  const agent = await getAgent(ctx, run.agent.id)
  if (agent.machine.id !== run.machine.id)
    throw new BatonError(
      'conflict',
      `The conversation of this run is on ${run.machine.name}, and ${agent.key} works on ${agent.machine.name} now.`,
    )
  if (run.conversation !== null) return { agent, conversation: run.conversation }
  if (!(await openConversationOfRun(ctx.connection.db, ctx.principal.organizationId, run.id)))
    throw new BatonError(
      'conflict',
      'This run left no conversation to go on with: it has not ended yet, or its agent keeps none.',
    )
  return { agent, conversation: run.id }
}
