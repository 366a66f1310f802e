import { freeBudgetWaits, insertAgent, listAgentViews, unblockAgent, updateAgent } from '@baton/db'
import {
  type AgentId,
  type AgentView,
  agentIsolation,
  approvalSettings,
  BatonError,
  budget,
  type OrganizationId,
  PERMISSION_MODES,
  RUNTIMES,
  toId,
} from '@baton/protocol'
import { agentView } from '@baton/protocol/view-schemas'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { settingsOf } from '../approvals/settings-of.ts'
import { rest } from '../rest/rest-place.ts'
import { chooseRuntime } from './choose-runtime.ts'
import type { ApiContext } from './context.ts'
import { found } from './found.ts'
import { byId, key, name, workspace } from './inputs.ts'
import { getMachine } from './machines-router.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'
import { unlessTaken } from './unique.ts'

type Caller = ApiContext & { principal: { organizationId: OrganizationId } }

const fields = z.object({
  name: name.optional(),
  /** For the runtimes `command` and `acp`: the name of an executable in the machine's policy file. */
  command: z
    .string()
    .regex(/^[\w.-]{1,63}$/, 'use the name under which the policy file lists the command')
    .nullish(),
  instructions: z.string().max(100_000).optional(),
  model: z.string().max(300).nullish(),
  permissionMode: z.enum(PERMISSION_MODES).optional(),
  workspace: workspace.nullish(),
  maxConcurrent: z.number().int().min(1).max(100).optional(),
  perHour: z.number().int().min(1).max(100_000).nullish(),
  /** Replaces the whole budget; null takes it away. */
  budget: budget.nullish(),
  approvals: approvalSettings.optional(),
  isolation: agentIsolation.optional(),
})

export const agentsRouter = router({
  list: userProcedure
    .meta(rest('GET /agents', 'All agents'))
    .output(z.array(agentView))
    .query(({ ctx }) => listAgentViews(ctx.connection.db, ctx.principal.organizationId)),

  get: userProcedure
    .meta(rest('GET /agents/{id}', 'One agent, by id or key'))
    .input(byId)
    .output(agentView)
    .query(({ ctx, input }) => getAgent(ctx, input.id)),

  create: memberProcedure
    .meta(rest('POST /agents', 'Make an agent on a machine', { created: '/agents/{id}' }))
    .input(fields.extend({ key, machineId: z.string().max(200), runtime: z.enum([...RUNTIMES, 'auto']) }))
    .output(agentView)
    .mutation(async ({ ctx, input }): Promise<AgentView> => {
      const machine = await getMachine(ctx, input.machineId)
      const runtime = input.runtime === 'auto' ? chooseRuntime(machine) : input.runtime
      assertCommand(runtime, input.command ?? null)
      assertModel(runtime, input.model ?? null)
      const id = toId('agent', uuidv7())
      await unlessTaken('agent', input.key, () =>
        insertAgent(ctx.connection.db, {
          id,
          organizationId: ctx.principal.organizationId,
          machineId: machine.id,
          key: input.key,
          name: input.name ?? input.key,
          runtime,
          command: input.command ?? null,
          instructions: input.instructions ?? '',
          model: input.model ?? null,
          permissionMode: input.permissionMode ?? 'edit',
          workspace: input.workspace ?? null,
          maxConcurrent: input.maxConcurrent ?? 5,
          perHour: input.perHour ?? null,
          budget: input.budget ?? null,
          approvals: settingsOf(input.approvals),
          ...(input.isolation && { isolation: input.isolation }),
        }),
      )
      agentChanged(ctx, id)
      return getAgent(ctx, id)
    }),

  update: memberProcedure
    .meta(rest('PATCH /agents/{id}', 'Change an agent'))
    .input(fields.extend({ id: z.string().max(200) }))
    .output(agentView)
    .mutation(async ({ ctx, input }) => {
      const agent = await getAgent(ctx, input.id)
      if (input.command !== undefined) assertCommand(agent.runtime, input.command)
      if (input.model !== undefined) assertModel(agent.runtime, input.model)
      const { id: _, approvals, ...change } = input
      const updated = await apply(ctx, agent.id, {
        ...withoutUndefined(change),
        ...(approvals && { approvals: { ...agent.approvals, ...settingsOf(approvals) } }),
      })
      if (input.budget !== undefined) await freeBudget(ctx, updated)
      return updated
    }),

  pause: memberProcedure
    .meta(rest('POST /agents/{id}/pause', 'Let an agent take no more work'))
    .input(byId)
    .output(agentView)
    .mutation(async ({ ctx, input }) => apply(ctx, (await getAgent(ctx, input.id)).id, { paused: true })),
  /** Ends a pause, and a block for a used-up account or a missing sign-in with all that shares the account. */
  resume: memberProcedure
    .meta(rest('POST /agents/{id}/resume', 'Let a paused or blocked agent take work again'))
    .input(byId)
    .output(agentView)
    .mutation(async ({ ctx, input }): Promise<AgentView> => {
      const { id } = await getAgent(ctx, input.id)
      const machineId = await unblockAgent(ctx.connection.db, ctx.principal.organizationId, id)
      ctx.hints.send('machine', found(machineId, 'agent', input.id))
      agentChanged(ctx, id)
      return getAgent(ctx, id)
    }),
  archive: memberProcedure
    .meta(rest('POST /agents/{id}/archive', 'Put an agent away'))
    .input(byId)
    .output(agentView)
    .mutation(async ({ ctx, input }) => apply(ctx, (await getAgent(ctx, input.id)).id, { archived: true })),
})

export async function getAgent(ctx: Caller, idOrKey: string): Promise<AgentView> {
  const [agent] = await listAgentViews(ctx.connection.db, ctx.principal.organizationId, { idOrKey })
  return found(agent, 'agent', idOrKey)
}

const AUTO_ORDER = ['claude', 'codex', 'gemini', 'opencode', 'acp', 'chat', 'command']

/** The agent with this id or key; `auto` is the best one that can take work now. */
export async function chooseAgent(ctx: Caller, idKeyOrAuto: string): Promise<AgentView> {
  if (idKeyOrAuto !== 'auto') return getAgent(ctx, idKeyOrAuto)
  const agents = await listAgentViews(ctx.connection.db, ctx.principal.organizationId)
  const able = agents.filter(
    ({ state, machine }) => (state === 'idle' || state === 'busy') && machine.state === 'online',
  )
  const best = (able.length > 0 ? able : agents).toSorted(
    (one, other) => AUTO_ORDER.indexOf(one.runtime) - AUTO_ORDER.indexOf(other.runtime),
  )[0]
  if (!best)
    throw new BatonError('not_found', 'There is no agent yet. Make one with `npx baton agent create`.')
  return best
}

async function apply(
  ctx: Caller,
  id: AgentId,
  change: Parameters<typeof updateAgent>[3],
): Promise<AgentView> {
  const { db } = ctx.connection
  const isThere = await updateAgent(db, ctx.principal.organizationId, id, {
    ...change,
    ifVersion: ctx.ifVersion,
  })
  found(isThere || null, 'agent', id)
  agentChanged(ctx, id)
  return getAgent(ctx, id)
}

async function freeBudget(ctx: Caller, agent: AgentView): Promise<void> {
  await freeBudgetWaits(ctx.connection.db, ctx.principal.organizationId, { agentId: agent.id })
  ctx.hints.send('machine', agent.machine.id)
}

/** Everybody who remembers the agent looks again. */
export function agentChanged(ctx: Caller, id: AgentId) {
  ctx.targets.forget()
  ctx.hints.send('config', id)
  ctx.changes.tell(ctx.principal.organizationId, 'agent', id)
}

function assertCommand(runtime: string, command: string | null) {
  const takesCommand = runtime === 'command' || runtime === 'acp'
  if (takesCommand === (command !== null)) return
  throw new BatonError(
    'bad_input',
    takesCommand
      ? `An agent of the ${runtime} runtime needs \`command\`: the name of an executable in the policy file of its machine.`
      : `Only the runtimes command and acp take a command; ${runtime} runs its own program.`,
  )
}

function assertModel(runtime: string, model: string | null) {
  if (runtime !== 'chat' || model !== null) return
  throw new BatonError(
    'bad_input',
    'A chat agent needs `model`: anthropic/<model>, openai/<model>, google/<model> or openai-compatible:<URL>#<model>.',
  )
}

function withoutUndefined<T extends object>(value: T) {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
