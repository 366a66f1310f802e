import type { GithubTriggerRow } from '@baton/db'
import {
  type GithubTriggerConfig,
  type GithubVerdict,
  githubTriggerConfig,
  type IgnoredReason,
  type MachineId,
} from '@baton/protocol'
import { isOwn, refusalOfActors } from './check-actors.ts'
import type { GithubCall } from './github-api.ts'
import type { KnownApp } from './known-apps.ts'
import { isStillWritten, listPullPaths, withCommit, withPull } from './look-up.ts'
import { mismatchOf } from './match-trigger.ts'
import type { GithubSubject } from './read-event.ts'

export type Firing = { trigger: GithubTriggerRow; config: GithubTriggerConfig; subject: GithubSubject }
export type Decision = {
  firings: Firing[]
  verdicts: GithubVerdict[]
  /** Why nothing fires; null when something does. */
  ignored: { reason: IgnoredReason; message: string } | null
}

export type Asking = {
  /** Throws while a machine has too much waiting. */
  assertRoom(machineId: MachineId): Promise<void>
  openCall(): Promise<GithubCall>
}
type Refusal = { reason: IgnoredReason; why: string }

/**
 * Which triggers an event fires. First what the event itself says, then what GitHub says now: the App is asked only about
 * events that would fire something. Throws when GitHub cannot be asked, because nothing fires without its answer, and when
 * there is no room for what would fire.
 */
export async function decideTriggers(
  subject: GithubSubject,
  app: KnownApp,
  triggers: GithubTriggerRow[],
  ask: Asking,
): Promise<Decision> {
  if (isOwn(subject, app))
    return nothing([], { reason: 'own_event', why: `${app.slug} made this event itself` })
  if (triggers.length === 0) return nothing([], { reason: 'no_job', why: 'no job has a trigger on GitHub' })
  const firings: Firing[] = []
  const verdicts: GithubVerdict[] = []
  const once = { ...ask, openCall: askingOnce(() => ask.openCall()) }
  let first: Refusal | null = null
  for (const trigger of triggers) {
    const config = githubTriggerConfig.parse(trigger.config)
    const answer = await decide({ trigger, config, subject }, app, once)
    if ('why' in answer) first = worse(first, answer)
    else firings.push(answer)
    verdicts.push({
      trigger: trigger.trigger_id,
      job: trigger.job_key,
      fired: !('why' in answer),
      why: 'why' in answer ? answer.why : 'it fits',
    })
  }
  return firings.length > 0
    ? { firings, verdicts, ignored: null }
    : nothing(verdicts, first ?? { reason: 'no_job', why: 'no job listens to this' })
}

/** GitHub is asked the same once for all triggers of an event. What failed fails the whole decision, so it may stay. */
function askingOnce(openCall: () => Promise<GithubCall>): () => Promise<GithubCall> {
  const answers = new Map<string, ReturnType<GithubCall>>()
  return async () => {
    const call = await openCall()
    return (route, parameters) => {
      const key = JSON.stringify([route, parameters])
      const answer = answers.get(key) ?? call(route, parameters)
      answers.set(key, answer)
      return answer as Promise<never>
    }
  }
}

async function decide(
  { trigger, config, subject: given }: Firing,
  app: KnownApp,
  ask: Asking,
): Promise<Firing | Refusal> {
  const mismatch = mismatchOf(config, given, app)
  if (mismatch !== null) return { reason: 'filtered', why: mismatch }
  if (trigger.disabled) return { reason: 'job_disabled', why: `the job ${trigger.job_key} is off` }
  if (trigger.trigger_paused) return { reason: 'trigger_paused', why: 'the trigger is paused' }
  if (trigger.agent_archived) return { reason: 'agent_archived', why: 'the agent of its job was archived' }
  await ask.assertRoom(trigger.machine_id)
  const call = await ask.openCall()
  const subject = await withPull(call, given)
  if (subject.isFork !== false && !config.forks)
    return { reason: 'fork_refused', why: 'it comes from a fork, which this trigger does not take' }
  const refusal = await refusalOfActors(call, subject, config)
  if (refusal !== null) return { reason: 'actor_refused', why: refusal }
  if (config.paths.length > 0 && subject.paths === null) {
    const paths = await listPullPaths(call, subject)
    const why = mismatchOf(config, { ...subject, paths }, app)
    if (why !== null) return { reason: 'filtered', why }
  }
  if (!(await isStillWritten(call, subject)))
    return { reason: 'text_edited', why: 'its text was changed or deleted after the event' }
  return { trigger, config, subject: config.feedback.check ? await withCommit(call, subject) : subject }
}

/** Of several reasons the one that says most about why nothing happened. */
const WEIGHT: IgnoredReason[] = ['filtered', 'agent_archived', 'trigger_paused', 'job_disabled']
function worse(known: Refusal | null, next: Refusal): Refusal {
  const weight = (one: Refusal) => (WEIGHT.includes(one.reason) ? WEIGHT.indexOf(one.reason) : WEIGHT.length)
  return known !== null && weight(known) >= weight(next) ? known : next
}

function nothing(verdicts: GithubVerdict[], { reason, why }: Refusal): Decision {
  return {
    firings: [],
    verdicts,
    ignored: { reason, message: `${why.charAt(0).toUpperCase()}${why.slice(1)}.` },
  }
}
