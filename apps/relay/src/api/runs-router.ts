import {
  findRunDiff,
  findRunView,
  findSpawnReport,
  findUndo,
  giveUpDelivery,
  listControls,
  listRunEvents,
  listRunSummaries,
  moveDelivery,
  requestCancel,
} from '@baton/db'
import {
  BatonError,
  DEFAULT_RULES,
  type DeliveryId,
  isFinishedDelivery,
  isFinishedRun,
  isId,
  type OrganizationId,
  type Page,
  type RunChanges,
  type RunRules,
  type RunSummary,
  type RunView,
  runLimits,
  runRules,
  type SpawnReport,
  STATUS_SHAPES,
  type StatusWord,
  UNDO_KINDS,
  undoId,
} from '@baton/protocol'
import { tracked } from '@trpc/server'
import { z } from 'zod'
import { tellRun } from '../approvals/tell-run.ts'
import { continueWork } from '../jobs/continue-work.ts'
import { DEFAULT_LIMITS } from '../jobs/default-limits.ts'
import { deliveryRules } from '../jobs/delivery-rules.ts'
import { fireManually } from '../jobs/fire-manually.ts'
import { laneOf } from '../jobs/lane.ts'
import { publicRules } from '../jobs/public-rules.ts'
import { drainSocket } from '../live/drain-socket.ts'
import { chooseAgent, getAgent } from './agents-router.ts'
import { askForUndo } from './ask-for-undo.ts'
import type { ApiContext } from './context.ts'
import { found } from './found.ts'
import { byId, cursorOf, idempotencyKey, pageInput, prompt, workspace } from './inputs.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'

type Caller = ApiContext & { principal: { organizationId: OrganizationId } }

const statusWords = z.enum(Object.keys(STATUS_SHAPES) as [StatusWord, ...StatusWord[]])
const FINISHED_WORDS: readonly StatusWord[] = ['done', 'warning', 'failed', 'stopped', 'lost']
/** A filter by word reads at most this many rows for one page. */
const SCAN_LIMIT = 2_000

export const runsRouter = router({
  create: memberProcedure
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
    .mutation(async ({ ctx, input }) => {
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
        idempotencyKey: input.idempotencyKey,
      })
      return { ...started, agent: { id: agent.id, key: agent.key, runtime: agent.runtime } }
    }),

  list: userProcedure
    .input(
      pageInput.extend({
        status: z.array(statusWords).optional(),
        agentId: z.string().optional(),
        jobId: z.string().optional(),
        machineId: z.string().optional(),
      }),
    )
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

  get: userProcedure.input(byId).query(({ ctx, input }) => getRun(ctx, input.id)),

  /** Asks for a stop; the run's page shows when its processes are gone. A finished run stays as it is. */
  cancel: memberProcedure
    .input(byId.extend({ reason: z.string().max(500).optional() }))
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
    .input(byId.extend({ text: z.string().trim().min(1).max(32_000), idempotencyKey }))
    .mutation(async ({ ctx, input }) =>
      tellRun(ctx, await getRun(ctx, input.id), {
        kind: 'steer',
        text: input.text,
        idempotencyKey: input.idempotencyKey ?? null,
      }),
    ),

  /** Ends what the agent does right now; a message that waits for it is still heard. */
  interrupt: memberProcedure
    .input(byId)
    .mutation(async ({ ctx, input }) =>
      tellRun(ctx, await getRun(ctx, input.id), { kind: 'interrupt', text: null, idempotencyKey: null }),
    ),

  /** What people told this run, oldest first, and how far it got. */
  controls: userProcedure.input(byId).query(async ({ ctx, input }) => {
    const run = await getRun(ctx, input.id)
    return listControls(ctx.connection.db, ctx.principal.organizationId, run.id)
  }),

  /** Gives work whose machine is away to another agent. What the old machine reports later changes nothing else. */
  move: memberProcedure
    .input(byId.extend({ agent: z.string().max(200), workspace: workspace.nullish() }))
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
  giveUp: memberProcedure.input(byId).mutation(async ({ ctx, input }): Promise<RunView> => {
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
  again: memberProcedure.input(byId.extend({ idempotencyKey })).mutation(async ({ ctx, input }) => {
    const run = await getRun(ctx, input.id)
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
      idempotencyKey: input.idempotencyKey,
    })
  }),

  /** How its agent was started and how it ended, for a person who looks for the cause; null until it has ended. */
  spawn: userProcedure.input(byId).query(async ({ ctx, input }): Promise<SpawnReport | null> => {
    const run = await getRun(ctx, input.id)
    return findSpawnReport(ctx.connection.db, ctx.principal.organizationId, run.id)
  }),

  /** What a run changed in its workspace, with the diff. null: it has not ended, or nobody could tell. */
  changes: userProcedure.input(byId).query(async ({ ctx, input }): Promise<RunChanges | null> => {
    const run = await getRun(ctx, input.id)
    const diff = await findRunDiff(ctx.connection.db, ctx.principal.organizationId, run.id)
    return run.changes && { ...run.changes, diff: diff ?? '' }
  }),

  undo: memberProcedure
    .input(byId.extend({ kind: z.enum(UNDO_KINDS).default('undo'), dryRun: z.boolean().default(false) }))
    .mutation(({ ctx, input }) => askForUndo(ctx, input)),

  /** How an order to put a workspace back stands. */
  getUndo: userProcedure
    .input(z.object({ undoId }))
    .query(async ({ ctx, input }) =>
      found(
        await findUndo(ctx.connection.db, ctx.principal.organizationId, input.undoId),
        'undo',
        input.undoId,
      ),
    ),

  /** A page of the transcript: from `fromSeq` on, or the last `tail` events. */
  transcript: userProcedure
    .input(
      byId.extend({
        fromSeq: z.number().int().min(1).default(1),
        limit: z.number().int().min(1).max(2_000).default(500),
        tail: z.number().int().min(1).max(2_000).optional(),
      }),
    )
    .query(async ({ ctx, input }) => {
      const run = await getRun(ctx, input.id)
      const afterSeq = input.tail ? Math.max(0, run.transcript.events - input.tail) : input.fromSeq - 1
      const events = await listRunEvents(ctx.connection.db, run.id, {
        afterSeq,
        limit: input.tail ?? input.limit,
        maxBytes: 4 * 1024 * 1024,
      })
      return { events, lastSeq: run.transcript.events, ended: isOver(run) }
    }),

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

/** Nothing more will be appended: the end is reported and all events before it are here, or there never was a run. */
function isOver(run: RunView): boolean {
  if (run.state === null) return isFinishedDelivery(run.deliveryState)
  if (!isFinishedRun(run.state)) return false
  return run.transcript.expected === null || run.transcript.events >= run.transcript.expected
}

export async function getRun(ctx: Caller, id: string): Promise<RunView> {
  return found(await findRunView(ctx.connection.db, ctx.principal.organizationId, id), 'run', id)
}
