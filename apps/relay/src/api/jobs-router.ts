import { freeBudgetWaits, insertJob, listJobViews, updateJob } from '@baton/db'
import {
  approvalSettings,
  BatonError,
  budget,
  DEFAULT_RULES,
  type JobView,
  jobRetentionSchema,
  readCause,
  runLimits,
  runRules,
  toId,
  triggerInput,
} from '@baton/protocol'
import { createdJob, firedRun, jobView } from '@baton/protocol/view-schemas'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { settingsOf } from '../approvals/settings-of.ts'
import { findLoop, trueCause } from '../inbox/find-loop.ts'
import { assertRules } from '../jobs/assert-rules.ts'
import { DEFAULT_LIMITS } from '../jobs/default-limits.ts'
import { deliveryRules } from '../jobs/delivery-rules.ts'
import { eventFacts } from '../jobs/event-facts.ts'
import { fireManually } from '../jobs/fire-manually.ts'
import { firedBefore } from '../jobs/fired-before.ts'
import { makeTrigger, type ShownSecret } from '../jobs/make-trigger.ts'
import { parseTemplate, renderPrompt } from '../jobs/render-prompt.ts'
import { outputInput } from '../outputs/make-output.ts'
import { rest } from '../rest/rest-place.ts'
import { chooseAgent, getAgent } from './agents-router.ts'
import { defined } from './defined.ts'
import { found } from './found.ts'
import { changeJob, getJob, jobChanged } from './get-job.ts'
import { byId, cause, idempotencyKey, key, name, prompt, workspace } from './inputs.ts'
import { makeOutputs, type ShownOutputSecret, shownSecrets } from './outputs-router.ts'
import { trialProcedures } from './trial-procedures.ts'
import { triggerProcedures } from './trigger-procedures.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'
import { unlessTaken } from './unique.ts'

type CreatedJob = { job: JobView; secrets: ShownSecret[]; outputSecrets: ShownOutputSecret[] }

export const jobsRouter = router({
  list: userProcedure
    .meta(rest('GET /jobs', 'All jobs'))
    .output(z.array(jobView))
    .query(({ ctx }) => listJobViews(ctx.connection.db, ctx.principal.organizationId, ctx.config.publicUrl)),

  get: userProcedure
    .meta(rest('GET /jobs/{id}', 'One job, by id or key'))
    .input(byId)
    .output(jobView)
    .query(({ ctx, input }) => getJob(ctx, input.id)),

  /** Secrets of webhooks, coming in and going out, are in this answer and nowhere else. */
  create: memberProcedure
    .meta(
      rest('POST /jobs', 'Make a job; generated secrets are in this answer and nowhere else', {
        created: '/jobs/{job.id}',
      }),
    )
    .input(
      z.object({
        key,
        name: name.optional(),
        agent: z.string().max(200),
        prompt,
        workspace: workspace.nullish(),
        limits: runLimits.partial().optional(),
        rules: runRules.partial().optional(),
        budget: budget.nullish(),
        approvals: approvalSettings.optional(),
        triggers: z.array(triggerInput).max(20).default([]),
        outputs: z.array(outputInput).max(20).default([]),
      }),
    )
    .output(createdJob)
    .mutation(async ({ ctx, input }): Promise<CreatedJob> => {
      parseTemplate(input.prompt)
      const agent = await chooseAgent(ctx, input.agent)
      const place = { sealKey: ctx.keys.seal, publicUrl: ctx.config.publicUrl, runtime: agent.runtime }
      const triggers = input.triggers.map((trigger) => makeTrigger(place, trigger))
      const outputs = await makeOutputs(ctx, input.outputs)
      const id = toId('job', uuidv7())
      await unlessTaken('job or webhook path', input.key, () =>
        insertJob(ctx.connection.db, {
          id,
          organizationId: ctx.principal.organizationId,
          agentId: agent.id,
          key: input.key,
          name: input.name ?? input.key,
          prompt: input.prompt,
          workspace: input.workspace ?? null,
          limits: { ...DEFAULT_LIMITS, ...defined(input.limits) },
          rules: assertRules({ ...DEFAULT_RULES, ...defined(input.rules) }),
          budget: input.budget ?? null,
          approvals: settingsOf(input.approvals),
          triggers: triggers.map(({ record }) => record),
          outputs: outputs.map(({ output }) => output),
        }),
      )
      jobChanged(ctx, id)
      const secrets = triggers.flatMap(({ shown }) => shown ?? [])
      return { job: await getJob(ctx, id), secrets, outputSecrets: shownSecrets(outputs) }
    }),

  update: memberProcedure
    .meta(rest('PATCH /jobs/{id}', 'Change a job'))
    .input(
      z.object({
        id: z.string().max(200),
        name: name.optional(),
        agent: z.string().max(200).optional(),
        prompt: prompt.optional(),
        workspace: workspace.nullish(),
        limits: runLimits.partial().optional(),
        rules: runRules.partial().optional(),
        /** Replaces the whole budget; null takes it away. */
        budget: budget.nullish(),
        /** null: nothing of its own, its agent's count. */
        approvals: approvalSettings.nullish(),
        retention: jobRetentionSchema.partial().optional(),
      }),
    )
    .output(jobView)
    .mutation(async ({ ctx, input }) => {
      const job = await getJob(ctx, input.id)
      if (input.prompt !== undefined) parseTemplate(input.prompt)
      const updated = await changeJob(ctx, job.id, {
        ...(input.name !== undefined && { name: input.name }),
        ...(input.prompt !== undefined && { prompt: input.prompt }),
        ...(input.workspace !== undefined && { workspace: input.workspace }),
        ...(input.limits !== undefined && { limits: { ...job.limits, ...defined(input.limits) } }),
        ...(input.rules !== undefined && { rules: assertRules({ ...job.rules, ...defined(input.rules) }) }),
        ...(input.approvals !== undefined && {
          approvals: input.approvals === null ? {} : { ...job.approvals, ...settingsOf(input.approvals) },
        }),
        ...(input.retention !== undefined && { retention: defined(input.retention) }),
        ...(input.agent !== undefined && { agentId: (await getAgent(ctx, input.agent)).id }),
        ...(input.budget !== undefined && { budget: input.budget }),
      })
      if (input.budget !== undefined) {
        await freeBudgetWaits(ctx.connection.db, ctx.principal.organizationId, { jobId: job.id })
        ctx.hints.send('machine', (await getAgent(ctx, updated.agent.id)).machine.id)
      }
      return updated
    }),

  enable: memberProcedure
    .meta(rest('POST /jobs/{id}/enable', 'Let a job fire'))
    .input(byId)
    .output(jobView)
    .mutation(async ({ ctx, input }) => changeJob(ctx, (await getJob(ctx, input.id)).id, { enabled: true })),
  disable: memberProcedure
    .meta(rest('POST /jobs/{id}/disable', 'Let a job fire no more; its events are kept'))
    .input(byId)
    .output(jobView)
    .mutation(async ({ ctx, input }) => changeJob(ctx, (await getJob(ctx, input.id)).id, { enabled: false })),
  delete: memberProcedure
    .meta(rest('DELETE /jobs/{id}', 'Delete a job; its runs stay'))
    .input(byId)
    .output(z.void())
    .mutation(async ({ ctx, input }) => {
      const job = await getJob(ctx, input.id)
      const { db } = ctx.connection
      const change = { deleted: true as const, ifVersion: ctx.ifVersion }
      found((await updateJob(db, ctx.principal.organizationId, job.id, change)) || null, 'job', job.id)
      jobChanged(ctx, job.id)
    }),

  ...triggerProcedures,
  ...trialProcedures,

  /** Fires a job by hand; answers when it is stored. */
  run: memberProcedure
    .meta(rest('POST /jobs/{id}/run', 'Fire a job by hand', { created: '/runs/{runId}' }))
    .input(byId.extend({ payload: z.unknown().optional(), cause, idempotencyKey }))
    .output(firedRun)
    .mutation(async ({ ctx, input: { idempotencyKey, ...input } }) => {
      const request = { run: input }
      const before = await firedBefore(ctx, idempotencyKey, request)
      if (before) return before
      const job = await getJob(ctx, input.id)
      if (!job.enabled)
        throw new BatonError('conflict', `Job "${job.key}" is disabled. Enable it, then run it.`)
      const agent = await getAgent(ctx, job.agent.id)
      const eventId = toId('event', uuidv7())
      const facts = eventFacts(
        { id: eventId, source: 'manual', headers: {}, payload: input.payload ?? null },
        job,
      )
      const cause = await trueCause(ctx.connection.db, ctx.principal.organizationId, readCause(input.cause))
      const loop = await findLoop(ctx.connection.db, { job_id: job.id, job_key: job.key }, cause)
      return fireManually(ctx.intake, ctx.principal, {
        eventId,
        job: { id: job.id, key: job.key },
        agent,
        prompt: renderPrompt(parseTemplate(job.prompt), facts),
        rules: deliveryRules({ jobId: job.id, agentId: agent.id }, job.rules, facts),
        workspace: job.workspace ?? agent.workspace,
        limits: job.limits,
        payload: input.payload,
        cause,
        ignored: loop,
        request,
        idempotencyKey,
      })
    }),
})
