import { findEventDetail, findTriggerTarget } from '@baton/db'
import {
  BatonError,
  DEFAULT_RULES,
  type DraftRehearsalView,
  type EventSource,
  INTAKE_BODY_BYTES,
  type JobView,
  type RehearsalView,
  runRules,
  type TriggerView,
  toId,
  triggerInput,
} from '@baton/protocol'
import { draftRehearsalView, rehearsalView } from '@baton/protocol/view-schemas'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { payloadOf } from '../inbox/payload-of.ts'
import { assertRules } from '../jobs/assert-rules.ts'
import { assertConfig, configOf } from '../jobs/make-trigger.ts'
import { whyNotFired } from '../jobs/plan-event.ts'
import { type RehearsedEvent, rehearse } from '../jobs/rehearse.ts'
import { rest } from '../rest/rest-place.ts'
import { chooseAgent, getAgent } from './agents-router.ts'
import { defined } from './defined.ts'
import { found } from './found.ts'
import { type Caller, getJob } from './get-job.ts'
import { byId, key, name, prompt } from './inputs.ts'
import { userProcedure } from './trpc.ts'

/** What a rehearsal is of: a stored event, or a payload (nothing at all is `null`) with headers. */
const sample = {
  eventId: z.string().max(200).optional(),
  payload: z.unknown().optional(),
  headers: z.record(z.string(), z.string().max(1_000)).optional(),
}

/** What a job would make of one event. Nothing here stores anything. */
export const rehearsalProcedures = {
  /** What the job would make of a stored event, or of a payload: its prompt, and why it would fire or not. */
  rehearse: userProcedure
    .meta(
      rest('POST /jobs/{id}/rehearse', 'What a job would make of an event or payload, without running it'),
    )
    .input(
      byId.extend({
        ...sample,
        /** Which of its triggers to try with a payload; the first one when left out. */
        triggerId: z.string().max(200).optional(),
        /** Instead of its own: one that is being written. */
        prompt: prompt.optional(),
      }),
    )
    .output(rehearsalView)
    .query(async ({ ctx, input }): Promise<RehearsalView> => {
      const job = await getJob(ctx, input.id)
      const event = await rehearsedEvent(ctx, job, input)
      const agent = await getAgent(ctx, job.agent.id)
      const target = event.trigger
        ? await findTriggerTarget(ctx.connection.db, ctx.principal.organizationId, event.trigger.id)
        : null
      const written = { ...job, prompt: input.prompt ?? job.prompt, agentId: agent.id }
      const { ignored, ...rehearsed } = rehearse(written, target, event)
      const state = {
        deleted: false,
        disabled: !job.enabled,
        agent_archived: agent.state === 'archived',
        trigger_paused: event.trigger?.paused ?? false,
        job_key: job.key,
      }
      const why = whyNotFired(state, event.source) ?? ignored
      return {
        ...rehearsed,
        fires: why === null,
        reason: why?.reason ?? null,
        message: why?.message ?? null,
        trigger: event.trigger ? { id: event.trigger.id, kind: event.trigger.kind } : null,
        rules: job.rules,
        agent: { id: agent.id, key: agent.key },
        machine: agent.machine,
        workspace: job.workspace ?? agent.workspace,
        next: why ? (why.message ?? 'Nothing.') : whatNext(agent),
      }
    }),

  /** The same for a job that is not saved yet: what is typed so far, with or without an agent and a trigger. */
  rehearseDraft: userProcedure
    .meta(rest('POST /jobs/rehearse', 'What a job that is not saved yet would make of an event or payload'))
    .input(
      z.object({
        prompt,
        key: key.optional(),
        name: name.optional(),
        /** Who would do it, by id or key. */
        agent: z.string().max(200).optional(),
        rules: runRules.partial().optional(),
        /** What would fire it; by hand when left out. */
        trigger: triggerInput.optional(),
        ...sample,
      }),
    )
    .output(draftRehearsalView)
    .query(async ({ ctx, input }): Promise<DraftRehearsalView> => {
      const agent = input.agent === undefined ? null : await chooseAgent(ctx, input.agent)
      const { trigger } = input
      if (trigger) assertConfig(trigger.kind, trigger)
      const target = trigger && {
        kind: trigger.kind,
        scheme: trigger.kind === 'webhook' ? trigger.scheme : null,
        config: configOf(trigger) as Record<string, unknown>,
      }
      const stored = input.eventId === undefined ? null : await storedEvent(ctx, input.eventId)
      const jobKey = input.key ?? 'new-job'
      const job = {
        id: toId('job', uuidv7()),
        key: jobKey,
        name: input.name ?? jobKey,
        agentId: agent?.id ?? toId('agent', uuidv7()),
        prompt: input.prompt,
        rules: assertRules({ ...DEFAULT_RULES, ...defined(input.rules) }),
      }
      const { ignored, ...rehearsed } = rehearse(
        job,
        target ?? null,
        stored ?? sampleEvent(trigger ?? null, input),
      )
      return {
        ...rehearsed,
        fires: ignored === null,
        reason: ignored?.reason ?? null,
        message: ignored?.message ?? null,
        next: ignored
          ? (ignored.message ?? 'Nothing.')
          : agent
            ? whatNext(agent)
            : 'It says nothing yet about who does it.',
      }
    }),
}

type Sample = { payload?: unknown; headers?: Record<string, string> | undefined }

async function rehearsedEvent(
  ctx: Caller,
  job: JobView,
  input: Sample & { eventId?: string | undefined; triggerId?: string | undefined },
): Promise<RehearsedEvent & { trigger: TriggerView | null }> {
  const chosen = input.triggerId
    ? found(
        job.triggers.find((one) => one.id === input.triggerId),
        'trigger',
        input.triggerId,
      )
    : null
  if (input.eventId === undefined) {
    const trigger = chosen ?? job.triggers[0] ?? null
    return { ...sampleEvent(trigger, input), trigger }
  }
  const { triggerId, ...event } = await storedEvent(ctx, input.eventId)
  const own = job.triggers.find((one) => one.id === triggerId)
  // An event of another job is tried on the first trigger that takes such events.
  const trigger = chosen ?? own ?? job.triggers.find((one) => one.kind === event.source) ?? null
  return { ...event, trigger }
}

async function storedEvent(ctx: Caller, id: string): Promise<RehearsedEvent & { triggerId: string | null }> {
  const event = found(await findEventDetail(ctx.connection.db, ctx.principal.organizationId, id), 'event', id)
  return {
    id: event.id,
    source: event.source,
    headers: event.headers,
    payload: payloadOf(event.bytes, event.contentType),
    triggerId: event.trigger?.id ?? null,
  }
}

/** A payload as it would come for a trigger. GitHub names its event in a header, which need not be given. */
function sampleEvent(
  trigger: { kind: EventSource; event?: string } | null,
  { payload = null, headers = {} }: Sample,
): RehearsedEvent {
  if (JSON.stringify(payload).length > INTAKE_BODY_BYTES)
    throw new BatonError('too_large', 'The payload is larger than a webhook may be (1 MiB).')
  const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
  return {
    id: toId('event', uuidv7()),
    source: trigger?.kind ?? 'manual',
    headers: {
      ...(trigger?.event !== undefined && { 'x-github-event': trigger.event }),
      ...Object.fromEntries(lowerCase),
    },
    payload,
  }
}

function whatNext(agent: {
  key: string
  state: string
  cause: string | null
  machine: { name: string }
}): string {
  const where = `"${agent.key}" on ${agent.machine.name}`
  switch (agent.state) {
    case 'paused':
      return `A delivery would wait until ${where} is resumed.`
    case 'offline':
      return `A delivery would wait until ${where} is online again.`
    case 'error':
      return `A delivery would wait: ${agent.cause ?? `${where} has an error.`}`
    default:
      return `A run of ${where} would start, as soon as it has room.`
  }
}
