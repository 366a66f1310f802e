import { databaseNow, findEventDetail, findTriggerTarget, listSimulatedEvents } from '@baton/db'
import {
  BatonError,
  type EventSource,
  INTAKE_BODY_BYTES,
  type JobView,
  PROMPT_BYTES,
  type RehearsalView,
  type SimulatedEvent,
  type SimulationView,
  type TriggerView,
  toId,
} from '@baton/protocol'
import { rehearsalView, simulationView } from '@baton/protocol/view-schemas'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { renderGithubPrompt } from '../github/render-github-prompt.ts'
import { payloadOf } from '../inbox/payload-of.ts'
import { deliveryRules } from '../jobs/delivery-rules.ts'
import { eventFacts } from '../jobs/event-facts.ts'
import { whyFiltered, whyNotFired } from '../jobs/plan-event.ts'
import { parseTemplate, renderPrompt } from '../jobs/render-prompt.ts'
import { rest } from '../rest/rest-place.ts'
import { scheduleOf } from '../schedules/slots-of.ts'
import { getAgent } from './agents-router.ts'
import { found } from './found.ts'
import { type Caller, getJob } from './get-job.ts'
import { byId, prompt } from './inputs.ts'
import { userProcedure } from './trpc.ts'

const DAY_MS = 86_400_000
const SIMULATED = 500
const SLOTS = 100

/** Trying a job without running it. Nothing here stores anything. */
export const trialProcedures = {
  /** What the job would make of a stored event, or of a payload: its prompt, and why it would fire or not. */
  rehearse: userProcedure
    .meta(
      rest('POST /jobs/{id}/rehearse', 'What a job would make of an event or payload, without running it'),
    )
    .input(
      byId.extend({
        eventId: z.string().max(200).optional(),
        payload: z.unknown().optional(),
        headers: z.record(z.string(), z.string().max(1_000)).optional(),
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
      const facts = eventFacts(event, job)
      const target = event.trigger
        ? await findTriggerTarget(ctx.connection.db, ctx.principal.organizationId, event.trigger.id)
        : null
      const { ignored, findings } = target
        ? whyFiltered(target, facts, event)
        : { ignored: null, findings: [] }
      const state = {
        deleted: false,
        disabled: !job.enabled,
        agent_archived: agent.state === 'archived',
        trigger_paused: event.trigger?.paused ?? false,
        job_key: job.key,
      }
      const why = whyNotFired(state, event.source) ?? ignored
      const template = parseTemplate(input.prompt ?? job.prompt)
      const filled =
        event.source === 'github'
          ? renderGithubPrompt(template, facts, { name: event.headers['x-github-event'] ?? '' })
          : renderPrompt(template, facts)
      const rules = deliveryRules({ jobId: job.id, agentId: agent.id }, job.rules, facts)
      return {
        fires: why === null,
        reason: why?.reason ?? null,
        message: why?.message ?? null,
        trigger: event.trigger ? { id: event.trigger.id, kind: event.trigger.kind } : null,
        filters: findings,
        prompt: filled.slice(0, PROMPT_BYTES),
        promptCut: Buffer.byteLength(filled) > PROMPT_BYTES,
        rules: job.rules,
        key: rules?.concurrencyKey ?? rules?.overlapKey ?? null,
        agent: { id: agent.id, key: agent.key },
        machine: agent.machine,
        workspace: job.workspace ?? agent.workspace,
        next: why ? (why.message ?? 'Nothing.') : whatNext(agent),
      }
    }),

  /** Which of the events of the last days this job would take as it is now, and why not the others. */
  simulate: userProcedure
    .meta(rest('GET /jobs/{id}/simulation', 'Which events of the last days a job would take as it is now'))
    .input(byId.extend({ days: z.number().min(0.01).max(7).default(7) }))
    .output(simulationView)
    .query(async ({ ctx, input }): Promise<SimulationView> => {
      const { db } = ctx.connection
      const job = await getJob(ctx, input.id)
      const now = await databaseNow(db)
      const since = new Date(now.getTime() - input.days * DAY_MS)
      const rows = await listSimulatedEvents(db, ctx.principal.organizationId, {
        jobId: job.id,
        since,
        limit: SIMULATED + 1,
      })
      const targets = new Map(
        await Promise.all(
          job.triggers.map(
            async ({ id }) => [id, await findTriggerTarget(db, ctx.principal.organizationId, id)] as const,
          ),
        ),
      )
      const events = rows.slice(0, SIMULATED).map((row): SimulatedEvent => {
        const payload = payloadOf(row.body, row.content_type)
        const facts = eventFacts({ ...row, payload }, job)
        const target = row.trigger_id && targets.get(row.trigger_id)
        const why = !target
          ? GONE
          : (whyNotFired({ ...target, disabled: false }, row.source) ??
            whyFiltered(target, facts, row).ignored)
        return {
          id: row.id,
          source: row.source,
          receivedAt: row.received_at.getTime(),
          fires: why === null,
          reason: why?.reason ?? null,
          message: why?.message ?? null,
          fired: row.fired,
        }
      })
      return {
        since: since.getTime(),
        events,
        isCapped: rows.length > SIMULATED,
        fires: events.filter((event) => event.fires).length,
        slots: [...targets.values()].flatMap((target) => (target ? slotsSince(target, since, now) : [])),
      }
    }),
}

const GONE = { reason: 'no_job' as const, message: 'The trigger that it came for was removed.' }

type Rehearsed = {
  id: string
  source: EventSource
  headers: Record<string, string>
  payload: unknown
  trigger: TriggerView | null
}

async function rehearsedEvent(
  ctx: Caller,
  job: JobView,
  input: {
    eventId?: string | undefined
    payload?: unknown
    headers?: Record<string, string> | undefined
    triggerId?: string | undefined
  },
): Promise<Rehearsed> {
  const chosen = input.triggerId
    ? found(
        job.triggers.find((one) => one.id === input.triggerId),
        'trigger',
        input.triggerId,
      )
    : null
  if (input.eventId === undefined) {
    if (JSON.stringify(input.payload ?? null).length > INTAKE_BODY_BYTES)
      throw new BatonError('too_large', 'The payload is larger than a webhook may be (1 MiB).')
    const trigger = chosen ?? job.triggers[0] ?? null
    const headers = Object.fromEntries(
      Object.entries(input.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    )
    return {
      id: toId('event', uuidv7()),
      source: trigger?.kind ?? 'manual',
      headers,
      payload: input.payload ?? null,
      trigger,
    }
  }
  const event = found(
    await findEventDetail(ctx.connection.db, ctx.principal.organizationId, input.eventId),
    'event',
    input.eventId,
  )
  const own = job.triggers.find((one) => one.id === event.trigger?.id)
  // An event of another job is tried on the first trigger that takes such events.
  const trigger = chosen ?? own ?? job.triggers.find((one) => one.kind === event.source) ?? null
  const payload = payloadOf(event.bytes, event.contentType)
  return { id: event.id, source: event.source, headers: event.headers, payload, trigger }
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

function slotsSince(
  target: NonNullable<Awaited<ReturnType<typeof findTriggerTarget>>>,
  since: Date,
  now: Date,
): SimulationView['slots'] {
  if (target.kind !== 'cron' && target.kind !== 'interval') return []
  const { slots } = scheduleOf({ ...target, trigger_created_at: minDate(target.trigger_created_at, since) })
  const times: number[] = []
  for (let at = slots.after(since); at !== null && at <= now && times.length <= 10_080; at = slots.after(at))
    times.push(at.getTime())
  return [
    {
      triggerId: target.trigger_id,
      count: times.length,
      isCapped: times.length > 10_080,
      newest: times.slice(-SLOTS).toReversed(),
    },
  ]
}

const minDate = (one: Date, other: Date) => (one < other ? one : other)
