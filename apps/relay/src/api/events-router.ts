import { createHash } from 'node:crypto'
import { findEventDetail, listEventViews, searchEventViews } from '@baton/db'
import {
  BatonError,
  EVENT_SOURCES,
  EVENT_STATES,
  type EventDetail,
  type EventView,
  IGNORED_REASONS,
  INTAKE_BODY_BYTES,
  isId,
  type Page,
  type RefusedView,
  toId,
} from '@baton/protocol'
import {
  eventDetail,
  eventView,
  pageOf,
  refusedView,
  replayedEvent,
  sampleAnswer,
} from '@baton/protocol/view-schemas'
import { tracked } from '@trpc/server'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { renderGithubPrompt } from '../github/render-github-prompt.ts'
import { asCurl, asFixture, type ExportedEvent, headersToRepeat } from '../inbox/export-event.ts'
import { followEvents } from '../inbox/follow-events.ts'
import { payloadOf } from '../inbox/payload-of.ts'
import { type SampleAnswer, sendSample } from '../inbox/send-sample.ts'
import { deliveryRules } from '../jobs/delivery-rules.ts'
import { eventFacts } from '../jobs/event-facts.ts'
import { planDelivery } from '../jobs/plan-delivery.ts'
import { parseTemplate, renderPrompt } from '../jobs/render-prompt.ts'
import { TRUST_OF_SOURCE } from '../jobs/trust-of-source.ts'
import { drainSocket } from '../live/drain-socket.ts'
import { rest } from '../rest/rest-place.ts'
import { getAgent } from './agents-router.ts'
import { found } from './found.ts'
import { type Caller, getJob } from './get-job.ts'
import { byId, cursorOf, idempotencyKey, pageInput } from './inputs.ts'
import { getTrigger } from './trigger-procedures.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'

const headers = z
  .record(z.string().regex(/^[A-Za-z0-9-]{1,100}$/), z.string().max(1_000))
  .refine((all) => Object.keys(all).length <= 100, 'give at most 100 headers')
const body = z
  .string()
  .refine((text) => Buffer.byteLength(text) <= INTAKE_BODY_BYTES, 'keep the body under 1 MiB')

export const eventsRouter = router({
  /** With `text` a page is what was found among the next 500 events: it may be empty and still have a cursor. */
  list: userProcedure
    .meta(rest('GET /events', 'The inbox, newest first'))
    .input(
      pageInput.extend({
        jobId: z.string().max(200).optional(),
        triggerId: z.string().max(200).optional(),
        state: z.enum(EVENT_STATES).optional(),
        reason: z.enum(IGNORED_REASONS).optional(),
        source: z.array(z.enum(EVENT_SOURCES)).min(1).max(20).optional(),
        since: z.number().optional(),
        until: z.number().optional(),
        text: z.string().min(2, 'search for at least two characters').max(200).optional(),
      }),
    )
    .output(pageOf(eventView))
    .query(async ({ ctx, input }): Promise<Page<EventView>> => {
      const { db } = ctx.connection
      const { organizationId } = ctx.principal
      const job = input.jobId === undefined ? undefined : await getJob(ctx, input.jobId)
      if (input.triggerId !== undefined) await getTrigger(ctx, input.triggerId)
      const filter = {
        jobId: job?.id,
        triggerId: isId('trigger', input.triggerId) ? input.triggerId : undefined,
        state: input.state,
        reason: input.reason,
        sources: input.source,
        since: toDate(input.since),
        until: toDate(input.until),
        before: cursorOf('event', input.cursor),
        limit: input.limit,
      }
      if (input.text !== undefined) {
        const page = await searchEventViews(db, organizationId, input.text, filter)
        return { items: page.items, nextCursor: page.next }
      }
      const items = await listEventViews(db, organizationId, filter)
      return { items, nextCursor: items.length === input.limit ? (items.at(-1)?.id ?? null) : null }
    }),

  get: userProcedure
    .meta(rest('GET /events/{id}', 'One event with its body and what came of it'))
    .input(byId)
    .output(eventDetail)
    .query(async ({ ctx, input }): Promise<EventDetail> => withoutBytes(await getEvent(ctx, input.id))),

  /** Requests that this relay refused at the job's addresses within the last hour: they are no events. */
  refused: userProcedure
    .meta(
      rest(
        'GET /jobs/{jobId}/refused-requests',
        "Requests that were refused at a job's addresses within the last hour",
      ),
    )
    .input(z.object({ jobId: z.string().max(200) }))
    .output(z.array(refusedView))
    .query(async ({ ctx, input }): Promise<RefusedView[]> => {
      const job = await getJob(ctx, input.jobId)
      return job.triggers.flatMap((trigger) => ctx.refused.of(trigger.id) ?? [])
    }),

  /** For a shell, or for a test. */
  exportAs: userProcedure
    .meta(rest('GET /events/{id}/export', 'An event as a curl command or a test fixture'))
    .input(byId.extend({ format: z.enum(['curl', 'fixture']) }))
    .output(z.object({ fileName: z.string(), text: z.string() }))
    .query(async ({ ctx, input }): Promise<ExportedEvent> => {
      const event = withoutBytes(await getEvent(ctx, input.id))
      if (input.format === 'fixture') return asFixture(event)
      const job = event.job ? await getJob(ctx, event.job.id).catch(() => null) : null
      return asCurl(event, job?.triggers.find((one) => one.id === event.trigger?.id) ?? null)
    }),

  /** A signed request of this relay to itself, as the sender of this webhook would send one. */
  sendSample: memberProcedure
    .meta(rest('POST /jobs/{jobId}/sample', 'Send a signed sample to a webhook of a job'))
    .input(
      z.object({
        jobId: z.string().max(200),
        triggerId: z.string().max(200).optional(),
        body: body.optional(),
        headers: headers.optional(),
      }),
    )
    .output(sampleAnswer)
    .mutation(async ({ ctx, input }): Promise<SampleAnswer> => {
      const job = await getJob(ctx, input.jobId)
      const trigger = job.triggers.find(
        (one) => one.kind === 'webhook' && (input.triggerId === undefined || one.id === input.triggerId),
      )
      if (trigger?.kind !== 'webhook') {
        if (input.triggerId !== undefined) found(null, 'webhook trigger', input.triggerId)
        throw new BatonError('conflict', `Job "${job.key}" has no webhook: run it by hand instead.`)
      }
      ctx.targets.forget()
      const target = found(await ctx.targets.find(trigger.path), 'trigger', trigger.id)
      return sendSample(target, { port: ctx.config.port, nowMs: ctx.now() }, input)
    }),

  /**
   * The same event once more, or changed, as a new one that names it as its cause, for the job as it is now. Filters are
   * not asked: a person wants it.
   */
  replay: memberProcedure
    .meta(
      rest('POST /events/{id}/replay', 'The same event once more, or changed', {
        created: '/events/{eventId}',
      }),
    )
    .input(byId.extend({ body: body.optional(), headers: headers.optional(), idempotencyKey }))
    .output(replayedEvent)
    .mutation(async ({ ctx, input }) => {
      const { organizationId } = ctx.principal
      const event = await getEvent(ctx, input.id)
      if (!event.job) {
        throw new BatonError(
          'conflict',
          'This event fired no job, so there is nothing to replay. Use `baton runs again` on its run.',
        )
      }
      const job = await getJob(ctx, event.job.id)
      const agent = await getAgent(ctx, job.agent.id)
      const id = toId('event', uuidv7())
      const bytes = input.body === undefined ? event.bytes : Buffer.from(input.body)
      const kept = input.headers ? lowerCase(input.headers) : event.headers
      const facts = eventFacts(
        { id, source: event.source, headers: kept, payload: payloadOf(bytes, event.contentType) },
        job,
      )
      const plan = {
        agentId: agent.id,
        machineId: agent.machine.id,
        job: { id: job.id, key: job.key },
        workspace: job.workspace ?? agent.workspace,
        limits: job.limits,
        trust: TRUST_OF_SOURCE[event.source],
      }
      const template = parseTemplate(job.prompt)
      const prompt =
        event.source === 'github'
          ? renderGithubPrompt(template, facts, { name: kept['x-github-event'] ?? '' })
          : renderPrompt(template, facts)
      const bodyHash = createHash('sha256')
        .update(JSON.stringify([event.id, input.headers]))
        .update(bytes)
        .digest('hex')
      const answer = await ctx.intake.accept({
        id,
        organizationId,
        jobId: job.id,
        triggerId: event.trigger?.id ?? null,
        source: event.source,
        ignored: null,
        cause: { id: event.id, hops: 0 },
        dedupScope: `replay:${organizationId}`,
        dedupKey: input.idempotencyKey ?? id,
        bodyHash,
        contentType: event.contentType,
        headers: { ...kept, 'x-baton-replay-of': event.id },
        body: bytes,
        deliveries: [
          planDelivery(plan, prompt, deliveryRules({ jobId: job.id, agentId: agent.id }, job.rules, facts)),
        ],
      })
      if (answer.bodyHash !== bodyHash)
        throw new BatonError('conflict', 'This idempotency key was used for another replay. Take a new key.')
      return {
        eventId: answer.eventId,
        deliveries: answer.deliveries.map((one) => ({ id: one.id, runId: one.runId })),
      }
    }),

  /**
   * A job's events as they come, stored ones after `lastEventId` first; without it, only new ones. An event may come twice
   * after a reconnect, so a follower remembers the ids of its last minute.
   */
  follow: userProcedure
    .input(z.object({ jobId: z.string().max(200), lastEventId: z.string().max(200).nullish() }))
    .subscription(async function* ({ ctx, input, signal }) {
      if (!signal) return
      const job = await getJob(ctx, input.jobId)
      for await (const batch of followEvents(ctx, job.id, input.lastEventId ?? null, signal)) {
        for (const { bytes, ...event } of batch) {
          yield tracked(event.id, { ...event, headers: headersToRepeat(event.headers), ...bodyOf(bytes) })
          await drainSocket(ctx.socket, signal)
        }
      }
    }),
})

async function getEvent(ctx: Caller, id: string) {
  return found(await findEventDetail(ctx.connection.db, ctx.principal.organizationId, id), 'event', id)
}

function withoutBytes({ bytes: _, ...event }: EventDetail & { bytes: Buffer }): EventDetail {
  return event
}

function bodyOf(bytes: Buffer): Pick<EventDetail, 'body' | 'bodyEncoding'> {
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes)
    ? { body: text, bodyEncoding: 'text' }
    : { body: bytes.toString('base64'), bodyEncoding: 'base64' }
}

const toDate = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms))

const lowerCase = (all: Record<string, string>) =>
  Object.fromEntries(Object.entries(all).map(([name, value]) => [name.toLowerCase(), value]))
