import {
  findRunView,
  giveUpDelivery,
  listControls,
  listRunSummaries,
  moveDelivery,
  requestCancel,
} from '@baton/db'
import {
  BatonError,
  DEFAULT_RULES,
  type DeliveryId,
  isId,
  type Page,
  type RunRules,
  type RunSummary,
  type RunView,
  runLimits,
  runRules,
  STATUS_SHAPES,
  type StatusWord,
} from '@baton/protocol'
import {
  controlView,
  firedRun,
  pageOf,
  runSummary,
  runView,
  startedRun,
  toldRun,
} from '@baton/protocol/view-schemas'
import { tracked } from '@trpc/server'
import { z } from 'zod'
import { tellRun } from '../approvals/tell-run.ts'
import { continueWork } from '../jobs/continue-work.ts'
import { DEFAULT_LIMITS } from '../jobs/default-limits.ts'
import { deliveryRules } from '../jobs/delivery-rules.ts'
import { fireManually } from '../jobs/fire-manually.ts'
import { firedBefore } from '../jobs/fired-before.ts'
import { laneOf } from '../jobs/lane.ts'
import { publicRules } from '../jobs/public-rules.ts'
import { drainSocket } from '../live/drain-socket.ts'
import { rest } from '../rest/rest-place.ts'
import { chooseAgent, getAgent } from './agents-router.ts'
import { getRun, isOver } from './get-run.ts'
import { byId, cursorOf, idempotencyKey, pageInput, prompt, workspace } from './inputs.ts'
import { runRecordProcedures } from './run-record-procedures.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'

const statusWords = z.enum(Object.keys(STATUS_SHAPES) as [StatusWord, ...StatusWord[]])
const FINISHED_WORDS: readonly StatusWord[] = ['done', 'warning', 'failed', 'stopped', 'lost']
/** A filter by word reads at most this many rows for one page. */
const SCAN_LIMIT = 2_000

const agentOf = ({
  agent: { id, key, runtime },
}: {
  agent: Pick<RunView['agent'], 'id' | 'key' | 'runtime'>
}) => ({
  id,
  key,
  runtime,
})

export const runsRouter = router({
  create: memberProcedure
    .meta(rest('POST /runs', 'Send a prompt to an agent', { created: '/runs/{runId}' }))
    .input(
      z.object({
        prompt,
        agent: z.string().max(200).default('auto'),
        workspace: workspace.nullish(),
        limits: runLimits.partial().optional(),
        rules: runRules
          .pick({ priority: true, delayMs: true, ttlMs: true, stallMs: true })
          .partial()
          .optional(),
        /** Runs of an agent with the same name go on with one conversation, one after the other. */
        conversation: z.string().trim().min(1).max(200).optional(),
        /** A run or the name of a conversation to go on with; its agent takes it. */
        continue: z.string().min(1).max(200).optional(),
        idempotencyKey,
      }),
    )
    .output(startedRun)
    .mutation(async ({ ctx, input: { idempotencyKey, ...input } }) => {
      const request = { create: input }
      const before = await firedBefore(ctx, idempotencyKey, request)
      if (before) return { ...before, agent: agentOf(await getRun(ctx, before.deliveryId)) }
      const continued =
        input.continue === undefined ? null : await continueWork(ctx, input.continue, input.agent)
      const agent = continued?.agent ?? (await chooseAgent(ctx, input.agent))
      const conversation = continued?.conversation ?? input.conversation ?? null
      const limits = { ...DEFAULT_LIMITS, ...(input.limits as Partial<typeof DEFAULT_LIMITS>) }
      const started = await fireManually(ctx.intake, ctx.principal, {
        job: null,
        agent,
        prompt: input.prompt,
        workspace: input.workspace ?? continued?.workspace ?? agent.workspace,
        limits,
        rules: deliveryRules(
          { jobId: null, agentId: agent.id },
          { ...DEFAULT_RULES, ...input.rules } as RunRules,
          {
            payload: null,
            event: { id: '', source: 'manual' },
            job: { key: '', name: '' },
          },
          conversation,
        ),
        payload: null,
        request,
        idempotencyKey,
      })
      return { ...started, agent: agentOf({ agent }) }
    }),

  list: userProcedure
    .meta(rest('GET /runs', 'Runs, newest first'))
    .input(
      pageInput.extend({
        status: z.array(statusWords).optional(),
        agentId: z.string().optional(),
        jobId: z.string().optional(),
        machineId: z.string().optional(),
      }),
    )
    .output(pageOf(runSummary))
    .query(async ({ ctx, input }): Promise<Page<RunSummary>> => {
      const words = input.status && input.status.length > 0 ? new Set(input.status) : null
      const finished = words && [...words].every((word) => FINISHED_WORDS.includes(word)) ? true : undefined
      const items: RunSummary[] = []
      let before = cursorOf('delivery', input.cursor) as DeliveryId | undefined
      let scanned = 0
      while (items.length < input.limit && scanned < SCAN_LIMIT) {
        const limit = words ? 200 : input.limit
        const rows = await listRunSummaries(ctx.connection.db, ctx.principal.organizationId, {
          agentId: isId('agent', input.agentId) ? input.agentId : undefined,
          jobId: isId('job', input.jobId) ? input.jobId : undefined,
          machineId: isId('machine', input.machineId) ? input.machineId : undefined,
          finished,
          before,
          limit,
        })
        for (const row of rows) {
          before = row.deliveryId
          if (!words || words.has(row.status)) items.push(row)
          if (items.length === input.limit) break
        }
        scanned += rows.length
        if (rows.length < limit)
          return { items, nextCursor: items.length === input.limit ? (before ?? null) : null }
      }
      return { items, nextCursor: before ?? null }
    }),

  get: userProcedure
    .meta(rest('GET /runs/{id}', "One run, by its id, its delivery's id or the beginning of its id"))
    .input(byId)
    .output(runView)
    .query(({ ctx, input }) => getRun(ctx, input.id)),

  /** Asks for a stop; the run's page shows when its processes are gone. A finished run stays as it is. */
  cancel: memberProcedure
    .meta(rest('POST /runs/{id}/cancel', 'Ask for a stop'))
    .input(byId.extend({ reason: z.string().max(500).optional() }))
    .output(runView)
    .mutation(async ({ ctx, input }): Promise<RunView> => {
      const run = await getRun(ctx, input.id)
      const reason = input.reason ?? 'Stopped by a person.'
      const result = await requestCancel(
        ctx.connection.db,
        ctx.principal.organizationId,
        run.deliveryId,
        reason,
      )
      if (result?.mustStop) ctx.hints.send('cancel', result.machineId)
      ctx.hints.send('run', run.id)
      ctx.changes.tell(ctx.principal.organizationId, 'run', run.id)
      return getRun(ctx, run.deliveryId)
    }),

  /** A person's message into the running run. The same idempotency key again is the same message. */
  steer: memberProcedure
    .meta(rest('POST /runs/{id}/steer', 'Say something to a running agent'))
    .input(byId.extend({ text: z.string().trim().min(1).max(32_000), idempotencyKey }))
    .output(toldRun)
    .mutation(async ({ ctx, input }) =>
      tellRun(ctx, await getRun(ctx, input.id), {
        kind: 'steer',
        text: input.text,
        idempotencyKey: input.idempotencyKey ?? null,
      }),
    ),

  /** Ends what the agent does right now; a message that waits for it is still heard. */
  interrupt: memberProcedure
    .meta(rest('POST /runs/{id}/interrupt', 'End what the agent does right now'))
    .input(byId)
    .output(toldRun)
    .mutation(async ({ ctx, input }) =>
      tellRun(ctx, await getRun(ctx, input.id), { kind: 'interrupt', text: null, idempotencyKey: null }),
    ),

  /** What people told this run, oldest first, and how far it got. */
  controls: userProcedure
    .meta(rest('GET /runs/{id}/controls', 'What people told a run, oldest first'))
    .input(byId)
    .output(z.array(controlView))
    .query(async ({ ctx, input }) => {
      const run = await getRun(ctx, input.id)
      return listControls(ctx.connection.db, ctx.principal.organizationId, run.id)
    }),

  /** Gives work whose machine is away to another agent. What the old machine reports later changes nothing else. */
  move: memberProcedure
    .meta(rest('POST /runs/{id}/move', 'Give work that waits for its machine to another agent'))
    .input(byId.extend({ agent: z.string().max(200), workspace: workspace.nullish() }))
    .output(runView)
    .mutation(async ({ ctx, input }): Promise<RunView> => {
      const run = await getRun(ctx, input.id)
      const agent = await getAgent(ctx, input.agent)
      const folder = input.workspace ?? agent.workspace
      const moved = await moveDelivery(ctx.connection.db, ctx.principal.organizationId, run.deliveryId, {
        agentId: agent.id,
        machineId: agent.machine.id,
        workspace: folder,
        lane: laneOf(folder, agent.id),
      })
      if (!moved)
        throw new BatonError(
          'conflict',
          `Only work that waits for its machine can be moved; this one is ${run.status}. Stop it first.`,
        )
      ctx.hints.send('machine', agent.machine.id)
      ctx.changes.tell(ctx.principal.organizationId, 'run', run.id)
      return getRun(ctx, run.deliveryId)
    }),

  /** Stops waiting for the machine of a stalled run: the delivery has failed. */
  giveUp: memberProcedure
    .meta(rest('POST /runs/{id}/give-up', 'Stop waiting for the machine of a stalled run'))
    .input(byId)
    .output(runView)
    .mutation(async ({ ctx, input }): Promise<RunView> => {
      const run = await getRun(ctx, input.id)
      if (!(await giveUpDelivery(ctx.connection.db, ctx.principal.organizationId, run.deliveryId))) {
        throw new BatonError(
          'conflict',
          `Only a run whose machine went away can be given up; this one is ${run.status}.`,
        )
      }
      ctx.hints.send('run', run.id)
      ctx.changes.tell(ctx.principal.organizationId, 'run', run.id)
      return getRun(ctx, run.deliveryId)
    }),

  /** The same prompt for the same agent, as a new delivery. */
  again: memberProcedure
    .meta(
      rest('POST /runs/{id}/again', 'The same prompt for the same agent, as a new delivery', {
        created: '/runs/{runId}',
      }),
    )
    .input(byId.extend({ idempotencyKey }))
    .output(firedRun)
    .mutation(async ({ ctx, input }) => {
      const run = await getRun(ctx, input.id)
      const request = { again: run.id }
      const before = await firedBefore(ctx, input.idempotencyKey, request)
      if (before) return before
      const agent = await getAgent(ctx, run.agent.id)
      return fireManually(ctx.intake, ctx.principal, {
        job: run.job,
        agent,
        prompt: run.prompt,
        workspace: run.requestedWorkspace,
        limits: run.limits,
        rules: await publicRules(ctx, run),
        trust: run.trust,
        payload: { again: run.id },
        request,
        idempotencyKey: input.idempotencyKey,
      })
    }),

  ...runRecordProcedures,

  /** Stored events, then live ones, in batches; the tracked id is the last number of the batch. Ends with the run. */
  events: userProcedure
    .input(byId.extend({ fromSeq: z.number().int().min(1).optional(), lastEventId: z.string().nullish() }))
    .subscription(async function* ({ ctx, input, signal }) {
      if (!signal) return
      const { id } = await getRun(ctx, input.id)
      const afterSeq = input.lastEventId ? Number(input.lastEventId) : (input.fromSeq ?? 1) - 1
      const ended = async () => {
        const run = await findRunView(ctx.connection.db, ctx.principal.organizationId, id)
        return run === null || isOver(run)
      }
      for await (const items of ctx.runFeed.after(id, afterSeq, { signal, ended })) {
        yield tracked(String(items.at(-1)?.seq ?? afterSeq), items)
        await drainSocket(ctx.socket, signal)
      }
    }),
})
