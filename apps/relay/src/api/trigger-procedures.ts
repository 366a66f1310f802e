import {
  databaseNow,
  findTriggerTarget,
  insertTrigger,
  rotateTriggerSecret,
  type TriggerTargetRow,
  updateTrigger,
} from '@baton/db'
import {
  BatonError,
  cronConfig,
  type FireAnswer,
  intervalConfig,
  type JobView,
  machineFire,
  type NextFires,
  TRIGGER_CONFIGS,
  type TriggerId,
  type TriggerKind,
  triggerChange,
  triggerInput,
} from '@baton/protocol'
import { jobView, nextFiresView, shownSecret } from '@baton/protocol/view-schemas'
import { generateSecret } from '@baton/webhooks'
import { z } from 'zod'
import { fireReported } from '../jobs/fire-reported.ts'
import { assertConfig, assertUsable, configOf, makeTrigger, type ShownSecret } from '../jobs/make-trigger.ts'
import { rest } from '../rest/rest-place.ts'
import { assertZone } from '../schedules/cron-slots.ts'
import { nextFires } from '../schedules/next-fires.ts'
import { scheduleOf } from '../schedules/slots-of.ts'
import { sealSecret } from '../secrets/seal.ts'
import { getAgent } from './agents-router.ts'
import { found } from './found.ts'
import { type Caller, getJob, jobChanged } from './get-job.ts'
import { byId } from './inputs.ts'
import { memberProcedure, userProcedure } from './trpc.ts'
import { unlessTaken } from './unique.ts'

const byTrigger = z.object({ triggerId: z.string().max(200) })

/** A schedule that is stored, or one that is only being thought of. */
const schedule = z.union([
  z.object({ triggerId: z.string().max(200) }),
  cronConfig.pick({ expression: true, zone: true }),
  intervalConfig.pick({ everyMs: true }),
])

/** What of `jobs` is about what fires them. */
export const triggerProcedures = {
  /** A webhook's secret is in this answer and nowhere else. */
  addTrigger: memberProcedure
    .meta(rest('POST /jobs/{id}/triggers', 'Add a trigger to a job', { created: '/jobs/{job.id}' }))
    .input(byId.extend({ trigger: triggerInput }))
    .output(z.object({ job: jobView, secret: shownSecret.nullable() }))
    .mutation(async ({ ctx, input }): Promise<{ job: JobView; secret: ShownSecret | null }> => {
      const job = await getJob(ctx, input.id)
      const { runtime } = await getAgent(ctx, job.agent.id)
      const { record, shown } = makeTrigger(
        { sealKey: ctx.keys.seal, publicUrl: ctx.config.publicUrl, runtime },
        input.trigger,
      )
      const { organizationId } = ctx.principal
      const isMade = await unlessTaken('webhook path', record.path ?? '', () =>
        insertTrigger(ctx.connection.db, organizationId, job.id, record),
      )
      if (!isMade) throw new BatonError('conflict', `Job "${job.key}" has 20 triggers, which is the most.`)
      jobChanged(ctx, job.id)
      return { job: await getJob(ctx, job.id), secret: shown }
    }),

  /** Changes any part of what its kind asks for; the rest stays. */
  updateTrigger: memberProcedure
    .meta(rest('PATCH /triggers/{triggerId}', 'Change a trigger'))
    .input(byTrigger.extend({ change: triggerChange }))
    .output(jobView)
    .mutation(async ({ ctx, input }) => {
      const target = await getTrigger(ctx, input.triggerId)
      const { kind, ...change } = input.change
      if (kind !== target.kind)
        throw new BatonError('bad_input', `This trigger is of kind ${target.kind}; a trigger keeps its kind.`)
      const given = Object.entries(change).filter(([, value]) => value !== undefined)
      const whole = TRIGGER_CONFIGS[kind].parse({ ...target.config, ...Object.fromEntries(given) })
      assertConfig(kind, whole)
      return changeTrigger(ctx, target, {
        config: configOf({ kind, ...whole } as Parameters<typeof configOf>[0]),
      })
    }),

  removeTrigger: memberProcedure
    .meta(rest('DELETE /triggers/{triggerId}', 'Remove a trigger; answers its job'))
    .input(byTrigger)
    .output(jobView)
    .mutation(async ({ ctx, input }) =>
      changeTrigger(ctx, await getTrigger(ctx, input.triggerId), { deleted: true }),
    ),
  pauseTrigger: memberProcedure
    .meta(rest('POST /triggers/{triggerId}/pause', 'Let a trigger fire nothing'))
    .input(byTrigger)
    .output(jobView)
    .mutation(async ({ ctx, input }) =>
      changeTrigger(ctx, await getTrigger(ctx, input.triggerId), { paused: true }),
    ),
  resumeTrigger: memberProcedure
    .meta(rest('POST /triggers/{triggerId}/resume', 'Let a paused trigger fire again'))
    .input(byTrigger)
    .output(jobView)
    .mutation(async ({ ctx, input }) =>
      changeTrigger(ctx, await getTrigger(ctx, input.triggerId), { paused: false }),
    ),

  /**
   * A new secret, or the one that is given. The one before it stays valid beside it until the next rotation, or is gone
   * at once with `alone`, for when it became known to somebody.
   */
  rotateSecret: memberProcedure
    .meta(
      rest(
        'POST /triggers/{triggerId}/rotate-secret',
        "Replace a webhook's secret; the one before stays valid beside it",
      ),
    )
    .input(byTrigger.extend({ secret: z.string().max(500).optional(), alone: z.boolean().default(false) }))
    .output(z.object({ secret: z.string() }))
    .mutation(async ({ ctx, input }) => {
      const { trigger_id: id, job_id, scheme } = await getTrigger(ctx, input.triggerId)
      if (scheme === null || scheme === 'none')
        throw new BatonError('bad_input', 'Only webhook triggers with a signature have a secret.')
      const secret = input.secret ?? generateSecret(scheme)
      assertUsable(scheme, secret)
      const sealed = sealSecret(ctx.keys.seal, id, secret)
      const { organizationId } = ctx.principal
      found(
        await rotateTriggerSecret(ctx.connection.db, organizationId, id, sealed, { alone: input.alone }),
        'trigger',
        id,
      )
      jobChanged(ctx, job_id)
      return { secret }
    }),

  /** A push that a hook on some computer reports; the same key again is the same event. */
  push: memberProcedure.input(machineFire).mutation(async ({ ctx, input }): Promise<FireAnswer> => {
    if (input.kind !== 'git_push')
      throw new BatonError('bad_input', 'Only the runner of its machine reports changed files.')
    return await fireReported(ctx, ctx.principal.organizationId, input)
  }),

  /** When a schedule fires next, in words and in a zone: of a trigger, or before one is made. */
  nextFires: userProcedure
    .meta(rest('POST /triggers/next-fires', 'When a schedule fires next, before or after it is made'))
    .input(
      z.object({
        schedule,
        count: z.number().int().min(1).max(100).default(5),
        zone: z.string().max(100).nullish(),
      }),
    )
    .output(nextFiresView)
    .query(async ({ ctx, input }): Promise<NextFires> => {
      const now = await databaseNow(ctx.connection.db)
      const row =
        'triggerId' in input.schedule
          ? await getTrigger(ctx, input.schedule.triggerId)
          : {
              kind: 'expression' in input.schedule ? 'cron' : 'interval',
              config: input.schedule,
              trigger_created_at: now,
            }
      if (row.kind !== 'cron' && row.kind !== 'interval')
        throw new BatonError('bad_input', 'Only cron and interval triggers have times.')
      if (input.zone) assertZone(input.zone)
      return nextFires(scheduleOf(row), now, input.count, input.zone ?? null)
    }),
}

export async function getTrigger(
  ctx: Caller,
  id: string,
): Promise<TriggerTargetRow & { trigger_id: TriggerId; kind: TriggerKind }> {
  const target = await findTriggerTarget(ctx.connection.db, ctx.principal.organizationId, id)
  return found(target && !target.deleted ? target : null, 'trigger', id)
}

async function changeTrigger(
  ctx: Caller,
  target: TriggerTargetRow,
  change: Parameters<typeof updateTrigger>[3],
): Promise<JobView> {
  const { organizationId } = ctx.principal
  const isDone = await updateTrigger(ctx.connection.db, organizationId, target.trigger_id, change)
  found(isDone || null, 'trigger', target.trigger_id)
  jobChanged(ctx, target.job_id)
  return getJob(ctx, target.job_id)
}
