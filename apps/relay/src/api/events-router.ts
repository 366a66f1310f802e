import { createHash } from 'node:crypto'
import { findEventDetail, listEventViews } from '@baton/db'
import { BatonError, type EventDetail, type EventView, isId, type Page, toId } from '@baton/protocol'
import { parseJsonBody } from '@baton/webhooks'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { deliveryRules } from '../jobs/delivery-rules.ts'
import { planDelivery } from '../jobs/plan-delivery.ts'
import { parseTemplate, renderPrompt } from '../jobs/render-prompt.ts'
import { TRUST_OF_SOURCE } from '../jobs/trust-of-source.ts'
import { getAgent } from './agents-router.ts'
import { found } from './found.ts'
import { byId, cursorOf, idempotencyKey, pageInput } from './inputs.ts'
import { getJob } from './jobs-router.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'

export const eventsRouter = router({
  list: userProcedure
    .input(pageInput.extend({ jobId: z.string().optional() }))
    .query(async ({ ctx, input }): Promise<Page<EventView>> => {
      const items = await listEventViews(ctx.connection.db, ctx.principal.organizationId, {
        jobId: isId('job', input.jobId) ? input.jobId : undefined,
        before: cursorOf('event', input.cursor),
        limit: input.limit,
      })
      return { items, nextCursor: items.length === input.limit ? (items.at(-1)?.id ?? null) : null }
    }),

  get: userProcedure.input(byId).query(async ({ ctx, input }): Promise<EventDetail> => {
    const { bytes: _, ...event } = found(
      await findEventDetail(ctx.connection.db, ctx.principal.organizationId, input.id),
      'event',
      input.id,
    )
    return event
  }),

  /** The same event once more, as a new one, for the job as it is now. */
  replay: memberProcedure.input(byId.extend({ idempotencyKey })).mutation(async ({ ctx, input }) => {
    const { organizationId } = ctx.principal
    const event = found(await findEventDetail(ctx.connection.db, organizationId, input.id), 'event', input.id)
    if (!event.job) {
      throw new BatonError(
        'conflict',
        'This event fired no job, so there is nothing to replay. Use `baton runs again` on its run.',
      )
    }
    const job = await getJob(ctx, event.job.id)
    const agent = await getAgent(ctx, job.agent.id)
    const id = toId('event', uuidv7())
    const json = parseJsonBody(event.bytes)
    const facts = {
      payload: json.ok ? json.value : event.bytes.toString('utf8'),
      event: { id, source: event.source },
      job: { key: job.key, name: job.name },
    }
    const prompt = renderPrompt(parseTemplate(job.prompt), facts)
    const plan = {
      agentId: agent.id,
      machineId: agent.machine.id,
      job: { id: job.id, key: job.key },
      workspace: job.workspace ?? agent.workspace,
      limits: job.limits,
      trust: TRUST_OF_SOURCE[event.source],
    }
    const answer = await ctx.intake.accept({
      id,
      organizationId,
      jobId: job.id,
      triggerId: null,
      source: event.source,
      ignored: null,
      dedupScope: `replay:${organizationId}`,
      dedupKey: input.idempotencyKey ?? id,
      bodyHash: createHash('sha256').update(event.bytes).digest('hex'),
      contentType: event.contentType,
      headers: { ...event.headers, 'x-baton-replay-of': event.id },
      body: event.bytes,
      deliveries: [planDelivery(plan, prompt, deliveryRules({ jobId: job.id, agentId: agent.id }, job.rules, facts))],
    })
    return {
      eventId: answer.eventId,
      deliveries: answer.deliveries.map((d) => ({ id: d.id, runId: d.runId })),
    }
  }),
})
