import type { DeliveryFacts, JobFacts } from '@baton/db'
import type { Condition } from '@baton/protocol'

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
  add(machine.drainingAt !== null, drainingCondition(machine))
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
  add(agent.isSpent, {
    code: 'agent_budget',
    what: `The budget of the day of agent ${agent.key} is used up.`,
    since: null,
    unblock: atMidnight(facts.nextDay),
    command: `baton agent budget ${agent.key} --day-tokens <count> --day-usd <dollars>`,
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
  add(machine.live >= machine.slots && (machine.slots > 0 || machine.state === 'online'), {
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
  unmet.push(...jobConditions({ perHour, isSpent: facts.isJobSpent, nextDay: facts.nextDay }))
  add(facts.isUnheard && facts.state === 'pending', {
    code: 'machine_silent',
    what: `${machine.name} took it, and has not been heard of since: its agent may be at work.`,
    since: facts.stateSince,
    unblock: `Wake ${machine.name}, and it goes on there or is offered again; or give it to another agent.`,
    command: `baton runs move ${facts.runId} --agent <key>`,
  })
  add(facts.isExpired && (facts.state === 'pending' || facts.state === 'parked'), {
    code: 'expired',
    what: 'Its time to live is over.',
    since: null,
    unblock: 'It is closed in a moment; run it again for another chance.',
    command: `baton runs again ${facts.runId}`,
  })
  add(facts.state === 'parked', {
    code: `parked_${facts.reason ?? 'waiting'}`,
    what: parkedSentence(facts),
    since: facts.stateSince,
    unblock: 'It goes on by itself at that time.',
    command: null,
  })
  add(facts.state === 'stalled', stalledCondition(facts))
  add(facts.state === 'pending' && unmet.length === 0 && !facts.isNext, {
    code: 'not_its_turn',
    what: facts.ahead === 1 ? 'One other is before it.' : `${facts.ahead} others are before it.`,
    since: facts.stateSince,
    unblock: 'It goes when its turn comes; raise its priority to go earlier.',
    command: `baton runs list --machine ${machine.name}`,
  })
  return unmet
}

/** A person drained it: what waits for it goes on waiting. */
export const drainingCondition = (machine: { name: string; drainingAt?: number | null }): Condition => ({
  code: 'machine_draining',
  what: `${machine.name} is draining: it takes no new work.`,
  since: machine.drainingAt ?? null,
  unblock: 'Let it take work again, or give the work to another agent.',
  command: `baton machine resume ${machine.name}`,
})

/** What keeps all deliveries of a job waiting. */
export function jobConditions({ perHour, isSpent, nextDay }: JobFacts): Condition[] {
  const unmet: Condition[] = []
  if (isSpent)
    unmet.push({
      code: 'job_budget',
      what: 'The budget of the day of its job is used up.',
      since: null,
      unblock: atMidnight(nextDay),
      command: null,
    })
  if (perHour !== null && perHour.used >= perHour.limit)
    unmet.push({
      code: 'hourly_limit',
      what: `Its job has started ${perHour.used} of at most ${perHour.limit} runs in the last hour.`,
      since: null,
      unblock: "Wait, or raise the job's hourly limit.",
      command: null,
    })
  return unmet
}

const atMidnight = (nextDay: number) =>
  `It goes on by itself at ${new Date(nextDay).toISOString().slice(0, 16).replace('T', ' ')} UTC, or when the budget is raised.`

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

function stalledCondition({
  machine,
  cancelRequestedAt,
  reasonMessage,
  runId,
  stateSince,
}: DeliveryFacts): Condition {
  if (cancelRequestedAt !== null)
    return {
      code: 'stalled',
      what: 'A stop was asked for while its machine is away, so nobody can say yet that its processes have ended.',
      since: cancelRequestedAt,
      unblock: `Wake ${machine.name}, and it ends the run; or do not wait for that.`,
      command: `baton runs give-up ${runId}`,
    }
  return {
    code: 'stalled',
    what: reasonMessage ?? 'Its machine went away while the agent was running.',
    since: stateSince,
    unblock: `Wake ${machine.name}, and the run goes on where it was; or give the work to another agent, or give it up.`,
    command: `baton runs move ${runId} --agent <key>`,
  }
}
