import {
  findDeliveryFacts,
  findEventDetail,
  findJobFacts,
  findRunView,
  listAgentViews,
  listDispatchViews,
  listJobViews,
  listMachineViews,
  listOutputViews,
} from '@baton/db'
import type {
  AgentState,
  AgentView,
  Condition,
  MachineView,
  OpenApproval,
  OrganizationId,
  RunView,
  WhyView,
} from '@baton/protocol'
import { isId } from '@baton/protocol'
import type { ApiContext } from '../api/context.ts'
import { found } from '../api/found.ts'
import { endCondition } from './end-condition.ts'
import { explainEvent, triggerConditions } from './explain-events.ts'
import { explainDispatch, offConditions, outputConditions } from './explain-outputs.ts'
import { drainingCondition, jobConditions, unmetConditions } from './unmet-conditions.ts'

type Caller = ApiContext & { principal: { organizationId: OrganizationId } }

/** Why something is not happening: every unmet condition, since when, and what unblocks it. None: it happens next. */
export async function explain(ctx: Caller, id: string): Promise<WhyView> {
  const { db } = ctx.connection
  const { organizationId } = ctx.principal
  const run = await findRunView(db, organizationId, id)
  if (run) {
    const facts = found(await findDeliveryFacts(db, organizationId, run.deliveryId), 'delivery', id)
    return explainRun(run, unmetConditions(facts))
  }
  if (isId('dispatch', id)) {
    const [dispatch] = await listDispatchViews(db, organizationId, { id, limit: 1 })
    return explainDispatch(found(dispatch, 'dispatch', id))
  }
  const [machine] = await listMachineViews(db, organizationId, { idOrName: id })
  if (machine) return explainMachine(machine)
  const [agent] = await listAgentViews(db, organizationId, { idOrKey: id })
  if (agent) return explainAgent(agent)
  const event = isId('event', id) ? await findEventDetail(db, organizationId, id) : null
  const [begun] = event?.runs ?? []
  if (event) return begun ? explain(ctx, begun.id) : explainEvent(db, organizationId, event)
  const [job] = await listJobViews(db, organizationId, ctx.config.publicUrl, { idOrKey: id })
  const known = found(job, 'run, delivery, event, machine, agent or job', id)
  const { id: jobId, key, enabled, triggers, agent: worker } = known
  const conditions: Condition[] = enabled
    ? []
    : [
        {
          code: 'job_disabled',
          what: `Job ${key} is disabled.`,
          since: null,
          unblock: 'Enable it.',
          command: `baton job enable ${key}`,
        },
      ]
  const [agentView] = await listAgentViews(db, organizationId, { idOrKey: worker.id })
  if (agentView) conditions.push(...explainAgent(agentView).conditions)
  conditions.push(...jobConditions(await findJobFacts(db, organizationId, jobId)))
  conditions.push(...triggers.flatMap(triggerConditions))
  conditions.push(...offConditions(await listOutputViews(db, organizationId, { jobId })))
  return view(id, conditions, `Job ${key} fires as soon as an event arrives.`)
}

function explainRun(run: RunView, conditions: Condition[]): WhyView {
  if (run.openApprovals.length > 0) {
    const isAway = run.deliveryState === 'stalled'
    return view(run.id, [...run.openApprovals.map(approvalCondition), ...(isAway ? conditions : [])], '')
  }
  if (run.status === 'queued' || run.status === 'asleep' || run.status === 'waiting') {
    return view(run.id, conditions, 'Nothing is in its way: the next look of its machine takes it.')
  }
  const end = endCondition(run)
  const after = [...(end ? [end] : []), ...outputConditions(run.dispatches)]
  const sentence = [run.sentence, ...after.map(({ what }) => what)].join(' ')
  return { id: run.id, sentence, conditions: after }
}

function approvalCondition({ id, tool, summary, askedAt, expiresAt }: OpenApproval): Condition {
  return {
    code: 'approval',
    what: `The agent asks whether it may use ${tool}: ${summary.split('\n', 1)[0]?.slice(0, 200)}`,
    since: askedAt,
    unblock: `Answer it; without an answer it is denied at ${new Date(expiresAt).toISOString()}.`,
    command: `baton approval allow ${id}`,
  }
}

const view = (id: string, conditions: Condition[], otherwise: string): WhyView => ({
  id,
  sentence: conditions.length === 0 ? otherwise : conditions.map((condition) => condition.what).join(' '),
  conditions,
})

function explainMachine(machine: MachineView): WhyView {
  const conditions: Condition[] =
    machine.state === 'online' || machine.state === 'draining'
      ? []
      : [
          {
            code: `machine_${machine.state}`,
            what: `${machine.name} is ${machine.state}. ${machine.cause ?? ''}`.trim(),
            since: machine.offlineSince,
            ...unblockMachine(machine),
          },
        ]
  if (machine.drainingAt !== null) conditions.push(drainingCondition(machine))
  return view(
    machine.id,
    conditions,
    `${machine.name} is online and takes work: ${machine.live} of ${machine.slots} slots in use.`,
  )
}

function unblockMachine({ state, name }: MachineView): Pick<Condition, 'unblock' | 'command'> {
  switch (state) {
    case 'revoked':
      return { unblock: 'Give it a new key.', command: `baton machine rotate-key ${name}` }
    case 'archived':
      return { unblock: 'Register that computer again.', command: `baton machine add ${name}` }
    default:
      return { unblock: 'Start its runner on that computer.', command: 'baton up' }
  }
}

const TAKES_WORK: readonly AgentState[] = ['idle', 'busy']

function explainAgent(agent: AgentView): WhyView {
  if (agent.machine.state === 'draining' && TAKES_WORK.includes(agent.state))
    return view(agent.id, [drainingCondition(agent.machine)], '')
  const conditions: Condition[] =
    agent.cause === null
      ? []
      : [
          {
            code: `agent_${agent.state}`,
            what: agent.cause,
            since: agent.blocked?.since ?? null,
            ...unblockAgent(agent),
          },
        ]
  return view(
    agent.id,
    conditions,
    `Agent ${agent.key} takes work: ${agent.live} of at most ${agent.maxConcurrent} at once.`,
  )
}

function unblockAgent({ key, state, blocked, machine }: AgentView): Pick<Condition, 'unblock' | 'command'> {
  if (state === 'paused') return { unblock: 'Resume it.', command: `baton agent resume ${key}` }
  switch (blocked?.reason) {
    case 'quota':
      return {
        unblock: 'It goes on by itself at that time; with another account there, resume it.',
        command: `baton agent resume ${key}`,
      }
    case 'not_signed_in':
      return {
        unblock: `Sign it in on ${machine.name}, then resume it.`,
        command: `baton agent resume ${key}`,
      }
    case 'budget':
      return {
        unblock: 'It goes on by itself at that time, or when the budget is raised.',
        command: `baton agent budget ${key} --day-tokens <count> --day-usd <dollars>`,
      }
    default:
      return { unblock: 'See the machine it is on.', command: `baton why ${machine.name}` }
  }
}
