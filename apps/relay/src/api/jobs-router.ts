import { insertJob, listJobViews, rotateTriggerSecret, updateJob } from '@baton/db'
import {
  approvalSettings,
  BatonError,
  DEFAULT_RULES,
  isId,
  type JobId,
  type JobView,
  jobRetentionSchema,
  type OrganizationId,
  type RunRules,
  runLimits,
  runRules,
  type TriggerId,
  toId,
  type WebhookScheme,
} from '@baton/protocol'
import { assertSecret, generateSecret } from '@baton/webhooks'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { settingsOf } from '../approvals/settings-of.ts'
import { DEFAULT_LIMITS } from '../jobs/default-limits.ts'
import { deliveryRules } from '../jobs/delivery-rules.ts'
import { fireManually } from '../jobs/fire-manually.ts'
import { parseTemplate, renderPrompt } from '../jobs/render-prompt.ts'
import { newSecret } from '../secrets/hash-secret.ts'
import { sealSecret } from '../secrets/seal.ts'
import { chooseAgent, getAgent } from './agents-router.ts'
import type { ApiContext } from './context.ts'
import { found } from './found.ts'
import { byId, idempotencyKey, key, name, prompt, workspace } from './inputs.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'
import { unlessTaken } from './unique.ts'

type Caller = ApiContext & { principal: { organizationId: OrganizationId } }

const webhookTrigger = z.object({
  kind: z.literal('webhook'),
  scheme: z.enum(['github', 'standard', 'baton']),
  path: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,100}$/, 'use letters, digits, dashes and underscores')
    .optional(),
  secret: z.string().max(500).optional(),
})

export type ShownSecret = {
  triggerId: TriggerId
  path: string
  url: string
  scheme: WebhookScheme
  secret: string
}

export const jobsRouter = router({
  list: userProcedure.query(({ ctx }) =>
    listJobViews(ctx.connection.db, ctx.principal.organizationId, ctx.config.publicUrl),
  ),

  get: userProcedure.input(byId).query(({ ctx, input }) => getJob(ctx, input.id)),

  /** Webhook secrets are in this answer and nowhere else. */
  create: memberProcedure
    .input(
      z.object({
        key,
        name: name.optional(),
        agent: z.string().max(200),
        prompt,
        workspace: workspace.nullish(),
        limits: runLimits.partial().optional(),
        rules: runRules.partial().optional(),
        approvals: approvalSettings.optional(),
        triggers: z.array(webhookTrigger).max(20).default([]),
      }),
    )
    .mutation(async ({ ctx, input }): Promise<{ job: JobView; secrets: ShownSecret[] }> => {
      parseTemplate(input.prompt)
      const agent = await chooseAgent(ctx, input.agent)
      const secrets = input.triggers.map((trigger) => newTrigger(ctx, trigger))
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
          approvals: settingsOf(input.approvals),
          triggers: secrets.map(({ triggerId, path, scheme, secret }) => ({
            id: triggerId,
            path,
            scheme,
            sealedSecret: sealSecret(ctx.keys.seal, triggerId, secret),
          })),
        }),
      )
      changed(ctx, id)
      return { job: await getJob(ctx, id), secrets }
    }),

  update: memberProcedure
    .input(
      z.object({
        id: z.string().max(200),
        name: name.optional(),
        agent: z.string().max(200).optional(),
        prompt: prompt.optional(),
        workspace: workspace.nullish(),
        limits: runLimits.partial().optional(),
        rules: runRules.partial().optional(),
        /** null: nothing of its own, its agent's count. */
        approvals: approvalSettings.nullish(),
        retention: jobRetentionSchema.partial().optional(),
      }),
    )
    .mutation(async ({ ctx, input }) => {
      const job = await getJob(ctx, input.id)
      if (input.prompt !== undefined) parseTemplate(input.prompt)
      return apply(ctx, job.id, {
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
      })
    }),

  enable: memberProcedure
    .input(byId)
    .mutation(async ({ ctx, input }) => apply(ctx, (await getJob(ctx, input.id)).id, { enabled: true })),
  disable: memberProcedure
    .input(byId)
    .mutation(async ({ ctx, input }) => apply(ctx, (await getJob(ctx, input.id)).id, { enabled: false })),
  delete: memberProcedure.input(byId).mutation(async ({ ctx, input }) => {
    const job = await getJob(ctx, input.id)
    found(
      (await updateJob(ctx.connection.db, ctx.principal.organizationId, job.id, { deleted: true })) || null,
      'job',
      job.id,
    )
    changed(ctx, job.id)
  }),

  /** A new secret; the one before it stays valid beside it until the next rotation. */
  rotateSecret: memberProcedure
    .input(z.object({ triggerId: z.string() }))
    .mutation(async ({ ctx, input }) => {
      const id = found(isId('trigger', input.triggerId) ? input.triggerId : null, 'trigger', input.triggerId)
      const job = (
        await listJobViews(ctx.connection.db, ctx.principal.organizationId, ctx.config.publicUrl)
      ).find((one) => one.triggers.some((trigger) => trigger.id === id))
      const trigger = found(
        job?.triggers.find((one) => one.id === id),
        'trigger',
        id,
      )
      if (trigger.kind !== 'webhook')
        throw new BatonError('bad_input', 'Only webhook triggers have a secret.')
      const secret = generateSecret(trigger.scheme)
      const sealed = sealSecret(ctx.keys.seal, id, secret)
      found(
        await rotateTriggerSecret(ctx.connection.db, ctx.principal.organizationId, id, sealed),
        'trigger',
        id,
      )
      changed(ctx, found(job, 'trigger', id).id)
      return { secret }
    }),

  /** Fires a job by hand; answers when it is stored. */
  run: memberProcedure
    .input(byId.extend({ payload: z.unknown().optional(), idempotencyKey }))
    .mutation(async ({ ctx, input }) => {
      const job = await getJob(ctx, input.id)
      if (!job.enabled)
        throw new BatonError('conflict', `Job "${job.key}" is disabled. Enable it, then run it.`)
      const agent = await getAgent(ctx, job.agent.id)
      const eventId = toId('event', uuidv7())
      const facts = {
        payload: input.payload ?? null,
        event: { id: eventId, source: 'manual' },
        job: { key: job.key, name: job.name },
      }
      return fireManually(ctx.intake, ctx.principal, {
        eventId,
        job: { id: job.id, key: job.key },
        agent,
        prompt: renderPrompt(parseTemplate(job.prompt), facts),
        rules: deliveryRules({ jobId: job.id, agentId: agent.id }, job.rules, facts),
        workspace: job.workspace ?? agent.workspace,
        limits: job.limits,
        payload: input.payload,
        idempotencyKey: input.idempotencyKey,
      })
    }),
})

/** A concurrency key with an unknown name is refused now and not when an event comes. */
function assertRules(rules: RunRules): RunRules {
  if (rules.concurrency) parseTemplate(rules.concurrency.key)
  return rules
}

export async function getJob(ctx: Caller, idOrKey: string): Promise<JobView> {
  const [job] = await listJobViews(ctx.connection.db, ctx.principal.organizationId, ctx.config.publicUrl, {
    idOrKey,
  })
  return found(job, 'job', idOrKey)
}

function newTrigger(ctx: Caller, trigger: z.infer<typeof webhookTrigger>): ShownSecret {
  const path = trigger.path ?? newSecret('h').slice(2)
  const secret = trigger.secret ?? generateSecret(trigger.scheme)
  try {
    assertSecret(trigger.scheme, secret)
  } catch (cause) {
    throw new BatonError(
      'bad_input',
      cause instanceof Error ? cause.message : 'This secret cannot be used.',
      { cause },
    )
  }
  const url = `${ctx.config.publicUrl}/hooks/${path}`
  return { triggerId: toId('trigger', uuidv7()), path, url, scheme: trigger.scheme, secret }
}

async function apply(ctx: Caller, id: JobId, change: Parameters<typeof updateJob>[3]): Promise<JobView> {
  found((await updateJob(ctx.connection.db, ctx.principal.organizationId, id, change)) || null, 'job', id)
  changed(ctx, id)
  return getJob(ctx, id)
}

function changed(ctx: Caller, id: JobId) {
  ctx.targets.forget()
  ctx.hints.send('config', id)
  ctx.changes.tell(ctx.principal.organizationId, 'job', id)
}

function defined<T extends object>(value: T | undefined) {
  const entries = Object.entries(value ?? {}).filter(([, field]) => field !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
