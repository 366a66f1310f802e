import {
  type DeliveryFacts,
  findDeliveryFacts,
  findEventDetail,
  findRunView,
  listAgentViews,
  listDispatchViews,
  listJobViews,
  listMachineViews,
  listOutputViews,
} from '@baton/db'
import type {
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
import { explainIgnored, triggerConditions } from './explain-events.ts'
import { explainDispatch, offConditions, outputConditions } from './explain-outputs.ts'

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
  if (event) return begun ? explain(ctx, begun.id) : explainIgnored(event)
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
  conditions.push(...triggers.flatMap(triggerConditions))
  conditions.push(...offConditions(await listOutputViews(db, organizationId, { jobId })))
  return view(id, conditions, `Job ${key} fires as soon as an event arrives.`)
}

function explainRun(run: RunView, conditions: Condition[]): WhyView {
  if (run.openApprovals.length > 0)
    return view(run.id, run.openApprovals.map(approvalCondition), run.sentence)
  if (run.status === 'queued' || run.status === 'asleep' || run.status === 'waiting') {
    return view(run.id, conditions, 'Nothing is in its way: the next look of its machine takes it.')
  }
  const unsent = outputConditions(run.dispatches)
  const sentence =
    unsent.length === 0 ? run.sentence : `${run.sentence} ${unsent.map(({ what }) => what).join(' ')}`
  return { id: run.id, sentence, conditions: unsent }
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

/** The conditions of the lease statement, one by one and in words. */
export function unmetConditions(facts: DeliveryFacts): Condition[] {
  const { machine, agent, lane, concurrency, perHour } = facts
  const unmet: Condition[] = []
  const add = (isUnmet: boolean, condition: Condition) => {
    if (isUnmet) unmet.push(condition)
  }
  add(machine.state === 'revoked' || machine.state === 'archived', {
    code: 'machine_gone',
    what: `The key of ${machine.name} was revoked.`,
    since: null,
    unblock: 'Give the machine a new key, or give the work to another agent.',
    command: `baton machine rotate-key ${machine.name}`,
  })
  add(machine.state === 'offline', {
    code: 'machine_offline',
    what: `${machine.name} is not connected.`,
    since: machine.lastHeartbeatAt,
    unblock: 'Wake that computer, or start its runner there.',
    command: 'baton up',
  })
  add(machine.state === 'draining', {
    code: 'machine_draining',
    what: `${machine.name} is draining and takes no new work.`,
    since: null,
    unblock: 'Start its runner again there.',
    command: 'baton up',
  })
  add(agent.paused, {
    code: 'agent_paused',
    what: `Agent ${agent.key} is paused.`,
    since: null,
    unblock: 'Resume it.',
    command: `baton agent resume ${agent.key}`,
  })
  add(agent.blocked !== null, {
    code: `agent_${agent.blocked?.reason}`,
    what: blockedSentence(facts),
    since: agent.blocked?.since ?? null,
    unblock:
      agent.blocked?.reason === 'quota'
        ? 'It goes on by itself at that time; or use another account there and resume the agent.'
        : `Sign it in on ${machine.name}, then resume the agent.`,
    command: `baton agent resume ${agent.key}`,
  })
  add(agent.isSpent || facts.isJobSpent, {
    code: agent.isSpent ? 'agent_budget' : 'job_budget',
    what: `The budget of the day of ${agent.isSpent ? `agent ${agent.key}` : 'its job'} is used up.`,
    since: null,
    unblock: `It goes on by itself at ${new Date(facts.nextDay).toISOString().slice(0, 16).replace('T', ' ')} UTC, or when the budget is raised.`,
    command: agent.isSpent
      ? `baton agent budget ${agent.key} --day-tokens <count> --day-usd <dollars>`
      : null,
  })
  add(agent.archived, {
    code: 'agent_archived',
    what: `Agent ${agent.key} was archived.`,
    since: null,
    unblock: 'Cancel this and give the job another agent.',
    command: `baton runs cancel ${facts.runId}`,
  })
  add(agent.live >= agent.maxConcurrent, {
    code: 'agent_busy',
    what: `Agent ${agent.key} works on ${agent.live} of at most ${agent.maxConcurrent} at once.`,
    since: null,
    unblock: 'Wait for one of them to end, or raise its limit.',
    command: `baton agent update ${agent.key} --max-concurrent ${agent.maxConcurrent + 1}`,
  })
  add(agent.perHour !== null && agent.started >= agent.perHour, {
    code: 'agent_hourly_limit',
    what: `Agent ${agent.key} has started ${agent.started} of at most ${agent.perHour} runs in the last hour.`,
    since: null,
    unblock: 'Wait, or raise its hourly limit.',
    command: null,
  })
  add(machine.slots > 0 && machine.live >= machine.slots, {
    code: 'machine_busy',
    what: `${machine.name} works on ${machine.live} of at most ${machine.slots} at once.`,
    since: null,
    unblock: 'Wait for one of them to end.',
    command: `baton runs list --machine ${machine.name}`,
  })
  add(lane?.busyWith != null, {
    code: 'workspace_busy',
    what: `Its workspace is in use by ${lane?.busyWith}.`,
    since: null,
    unblock: 'Wait for that run to end, or stop it.',
    command: `baton logs -f ${lane?.busyWith}`,
  })
  add(concurrency !== null && concurrency.live >= concurrency.limit, {
    code: 'key_busy',
    what: `${concurrency?.live} of at most ${concurrency?.limit} with the same concurrency key are at work.`,
    since: null,
    unblock: 'Wait for one of them to end.',
    command: null,
  })
  add(perHour !== null && perHour.used >= perHour.limit, {
    code: 'hourly_limit',
    what: `Its job has started ${perHour?.used} of at most ${perHour?.limit} runs in the last hour.`,
    since: null,
    unblock: "Wait, or raise the job's hourly limit.",
    command: null,
  })
  add(facts.state === 'parked', {
    code: `parked_${facts.reason ?? 'waiting'}`,
    what: parkedSentence(facts),
    since: facts.stateSince,
    unblock: 'It goes on by itself at that time.',
    command: null,
  })
  add(facts.state === 'stalled', {
    code: 'stalled',
    what: facts.reasonMessage ?? 'Its machine went away while the agent was running.',
    since: facts.stateSince,
    unblock: `Wake ${machine.name}, and the run goes on where it was; or give the work to another agent, or give it up.`,
    command: `baton runs move ${facts.runId} --agent <key>`,
  })
  add(facts.state === 'pending' && unmet.length === 0 && !facts.isNext, {
    code: 'not_its_turn',
    what: facts.ahead === 1 ? 'One other is before it.' : `${facts.ahead} others are before it.`,
    since: facts.stateSince,
    unblock: 'It goes when its turn comes; raise its priority to go earlier.',
    command: `baton runs list --machine ${machine.name}`,
  })
  return unmet
}

function blockedSentence({ agent, machine }: DeliveryFacts): string {
  if (agent.blocked?.reason === 'not_signed_in')
    return `Agent ${agent.key} is not signed in on ${machine.name}.`
  const until = agent.blocked?.until
  const at = until ? ` until ${new Date(until).toISOString().slice(0, 16).replace('T', ' ')} UTC` : ''
  return `The account behind agent ${agent.key} is used up${at}.`
}

function parkedSentence(facts: DeliveryFacts): string {
  const until =
    facts.parkedUntil === null
      ? 'It waits.'
      : `It goes on at ${new Date(facts.parkedUntil).toISOString().slice(0, 19).replace('T', ' ')} UTC.`
  // What its agent waits for stands there already, as a condition of its own.
  return facts.reasonMessage && facts.agent.blocked === null ? `${until} ${facts.reasonMessage}` : until
}

function explainMachine(machine: MachineView): WhyView {
  const conditions: Condition[] =
    machine.state === 'online'
      ? []
      : [
          {
            code: `machine_${machine.state}`,
            what: `${machine.name} is ${machine.state}. ${machine.cause ?? ''}`.trim(),
            since: machine.offlineSince,
            unblock:
              machine.state === 'offline' ? 'Start its runner on that computer.' : 'Give it a new key.',
            command: machine.state === 'offline' ? 'baton up' : `baton machine rotate-key ${machine.name}`,
          },
        ]
  return view(
    machine.id,
    conditions,
    `${machine.name} is online and takes work: ${machine.live} of ${machine.slots} slots in use.`,
  )
}

function explainAgent(agent: AgentView): WhyView {
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
