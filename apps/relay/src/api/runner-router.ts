import {
  acknowledgeControls,
  findHeldStates,
  findMachineByKey,
  heartbeatMachine,
  helloMachine,
  listQueuedControls,
  listRunSecrets,
  listRunSkills,
  loseDeliveries,
  refuseDeliveries,
  type SealedSecret,
  saveWatchStates,
  sayGoodbye,
  settleUndos,
  type TriggerTargetRow,
} from '@baton/db'
import {
  acceptRequest,
  acknowledgeRequest,
  appendRequest,
  BatonError,
  type ErrorKind,
  type FireAnswer,
  fireRequest,
  type GithubPushGrant,
  githubPushedRequest,
  githubTokenRequest,
  goodbyeRequest,
  HEARTBEAT_EVERY_MS,
  type HelloAnswer,
  LEASE_MS,
  type LeaseAnswer,
  type MachineId,
  OFFLINE_AFTER_MS,
  OLDEST_PROTOCOL_VERSION,
  offerRequest,
  openSession,
  pullRequest,
  RENEW_EVERY_MS,
  type RenewAnswer,
  type RunnerPush,
  refuseRequest,
  renewRequest,
  reportOrdersRequest,
  runnerHello,
  type SecretsAnswer,
  type SettleAnswer,
  type SkillsAnswer,
  secretsRequest,
  settleRequest,
  skillsRequest,
  startRequest,
  type TokenAnswer,
  undoneRequest,
} from '@baton/protocol'
import { tracked } from '@trpc/server'
import type { z } from 'zod'
import { speaksOfPeople } from '../approvals/read-steps.ts'
import { fireAllReported } from '../jobs/fire-reported.ts'
import { drainSocket } from '../live/drain-socket.ts'
import { recordOrders } from '../outputs/machine-orders.ts'
import { judgeHeld } from '../runners/judge-held.ts'
import { pullOnce } from '../runners/pull-once.ts'
import { signRunnerToken } from '../runners/runner-token.ts'
import { agentSecretContext } from '../secrets/agent-secret-context.ts'
import { hashSecret } from '../secrets/hash-secret.ts'
import { openSecret } from '../secrets/seal.ts'
import { publicProcedure, router, runnerProcedure } from './trpc.ts'

/** What runners call. Every write carries the fence of its lease; the statements refuse an older one. */
export const runnerRouter = router({
  /** Exchanges the machine key (Authorization: Bearer sk_machine_…) for a short token. */
  token: publicProcedure.mutation(async ({ ctx }): Promise<TokenAnswer> => {
    const key = /^Bearer (sk_machine_\S+)$/.exec(ctx.request.headers.authorization ?? '')?.[1]
    const machine = key === undefined ? null : await findMachineByKey(ctx.connection.db, hashSecret(key))
    if (!machine) {
      throw new BatonError(
        'key_unknown',
        'The relay does not know this machine key. Make a new one with `npx baton machine add` and start the runner with it.',
      )
    }
    if (machine.revoked) {
      throw new BatonError(
        'key_revoked',
        `The key of machine "${machine.name}" was revoked. Make a new one in the dashboard or with \`npx baton machine add\`.`,
      )
    }
    const claims = { machineId: machine.id, organizationId: machine.organizationId }
    return {
      ...(await signRunnerToken(ctx.keys, claims, ctx.now())),
      machineId: machine.id,
      machineName: machine.name,
    }
  }),

  /** First on every connection: who this runner is and what it holds. */
  hello: runnerProcedure.input(runnerHello).mutation(async ({ ctx, input }): Promise<HelloAnswer> => {
    const { db } = ctx.connection
    const { machineId, organizationId } = ctx.principal
    if (input.protocolVersion < OLDEST_PROTOCOL_VERSION) {
      throw new BatonError(
        'runner_too_old',
        `This runner (${input.runnerVersion}) is older than the relay understands. Update it: npm install -g baton@latest, then baton up.`,
      )
    }
    const hello = await helloMachine(db, machineId, input, OFFLINE_AFTER_MS)
    if (hello.result === 'revoked') throw new BatonError('key_revoked', "This machine's key was revoked.")
    if (hello.result === 'conflict') {
      throw new BatonError(
        'session_conflict',
        `Another runner${hello.hostname ? ` on "${hello.hostname}"` : ''} uses this machine key and was alive ${Math.round(hello.heartbeatAgoMs / 1000)} s ago. Stop it, give this computer a key of its own, or start this runner with --takeover.`,
      )
    }
    const held = await findHeldStates(db, machineId, input.held)
    const verdicts = held.map(judgeHeld)
    // What it goes on with is its own again before anything else is leased to it.
    const kept = new Set(verdicts.filter(({ verdict }) => verdict === 'keep').map(({ runId }) => runId))
    await ctx.leases.renew(
      machineId,
      input.held.filter((lease) => kept.has(lease.runId)),
    )
    const lost = await loseDeliveries(
      db,
      machineId,
      input.held.map((h) => h.deliveryId),
    )
    for (const id of lost) ctx.changes.tell(organizationId, 'delivery', id)
    ctx.changes.tell(organizationId, 'machine', machineId)
    return {
      organizationId,
      machineId,
      machineName: hello.name,
      relayVersion: ctx.version,
      leaseMs: LEASE_MS,
      renewEveryMs: RENEW_EVERY_MS,
      heartbeatEveryMs: HEARTBEAT_EVERY_MS,
      verdicts,
    }
  }),

  /** Opens the machine's newest session and pushes deliveries and cancels while the runner has credits. */
  deliveries: runnerProcedure.input(openSession).subscription(async function* ({ ctx, input, signal }) {
    if (!signal) return
    const { machineId, organizationId } = ctx.principal
    const place = { machineId, organizationId, ...sessionOf(input) }
    const session = await ctx.sessions.open(place)
    try {
      for await (const { id, push } of session.pushes(signal)) {
        yield tracked(id, push)
        await drainSocket(ctx.socket, signal)
      }
      if (!signal.aborted) throw new BatonError('session_conflict', `The session ended: ${session.closed}.`)
    } finally {
      ctx.sessions.close(session, 'disconnected')
    }
  }),

  /** The same for runners that cannot have a WebSocket: waits up to `waitMs` for something to push. */
  pull: runnerProcedure.input(pullRequest).mutation(async ({ ctx, input, signal }): Promise<RunnerPush> => {
    const { machineId, organizationId } = ctx.principal
    const place = { machineId, organizationId, ...sessionOf(input) }
    const session = await ctx.sessions.open(place)
    try {
      return await pullOnce(session, input.waitMs, signal)
    } finally {
      ctx.sessions.close(session, 'pulled')
    }
  }),

  offer: runnerProcedure.input(offerRequest).mutation(({ ctx, input }) => {
    ctx.sessions.get(ctx.principal.machineId)?.addCredits(input.slots)
  }),

  accept: runnerProcedure.input(acceptRequest).mutation(async ({ ctx, input }): Promise<LeaseAnswer[]> => {
    const { machineId, organizationId } = ctx.principal
    const accepted = await ctx.leases.accept(machineId, input.deliveries)
    const answers = input.deliveries.map(({ deliveryId }, index) =>
      leaseAnswer(deliveryId, accepted[index] === true),
    )
    for (const { deliveryId, ok } of answers) if (ok) ctx.changes.tell(organizationId, 'delivery', deliveryId)
    ctx.sessions.get(machineId)?.free(answers.filter(({ ok }) => !ok).map(({ deliveryId }) => deliveryId))
    return answers
  }),

  start: runnerProcedure.input(startRequest).mutation(async ({ ctx, input }): Promise<LeaseAnswer[]> => {
    const { machineId, organizationId } = ctx.principal
    const runs = input.runs.map((run) => ({ ...run, agoMs: Math.max(0, input.sentAt - run.startedAt) }))
    const started = await ctx.leases.start(machineId, runs)
    const answers = runs.map(({ deliveryId }, index) => leaseAnswer(deliveryId, started[index] === true))
    for (const run of input.runs) ctx.changes.tell(organizationId, 'run', run.runId)
    ctx.sessions.get(machineId)?.noteHeld(answers.filter(({ ok }) => ok).map(({ deliveryId }) => deliveryId))
    return answers
  }),

  /** Moves leases on; with `heartbeat` also says that the machine is alive. */
  renew: runnerProcedure.input(renewRequest).mutation(async ({ ctx, input }): Promise<RenewAnswer[]> => {
    const { machineId } = ctx.principal
    const session = ctx.sessions.get(machineId)
    if (input.heartbeat && session) {
      const epoch = await heartbeatMachine(ctx.connection.db, machineId, session.instanceId)
      if (epoch !== session.epoch) ctx.sessions.close(session, 'another session of this machine is newer')
    }
    const renewed = await ctx.leases.renew(machineId, input.deliveries)
    session?.noteHeld(renewed.flatMap((row) => row?.id ?? []))
    const controls = await listQueuedControls(ctx.connection.db, machineId)
    return input.deliveries.map(({ deliveryId }, index) => {
      const row = renewed[index]
      return {
        deliveryId,
        ok: row != null,
        reason: row == null ? 'lease_lost' : row.cancelReason === null ? null : 'cancelled',
        cancel: row?.cancelReason ?? null,
        controls: controls.filter((control) => control.deliveryId === deliveryId),
      }
    })
  }),

  refuse: runnerProcedure.input(refuseRequest).mutation(async ({ ctx, input }): Promise<LeaseAnswer[]> => {
    const { machineId, organizationId } = ctx.principal
    const refused = await refuseDeliveries(ctx.connection.db, machineId, input.deliveries)
    if (input.deliveries.some(stopsAgents)) ctx.hints.send('config', machineId)
    for (const id of refused) ctx.changes.tell(organizationId, 'delivery', id)
    for (const { runId } of input.deliveries) ctx.hints.send('run', runId)
    const session = ctx.sessions.get(machineId)
    session?.free(input.deliveries.map((refusal) => refusal.deliveryId))
    return input.deliveries.map(({ deliveryId }) => leaseAnswer(deliveryId, refused.has(deliveryId)))
  }),

  /** Stores the next events of a run; answers how far the transcript is stored. */
  append: runnerProcedure.input(appendRequest).mutation(async ({ ctx, input }) => {
    const answer = await ctx.transcripts.append(ctx.principal.machineId, input)
    if (input.events.some(speaksOfPeople)) {
      ctx.changes.tell(ctx.principal.organizationId, 'approval', input.runId)
      ctx.changes.tell(ctx.principal.organizationId, 'run', input.runId)
    }
    return answer
  }),

  /** The runner has these controls on its disk, or refuses them for good. */
  acknowledge: runnerProcedure.input(acknowledgeRequest).mutation(async ({ ctx, input }) => {
    const { machineId, organizationId } = ctx.principal
    const runs = await acknowledgeControls(ctx.connection.db, machineId, input.controls)
    for (const runId of runs) ctx.changes.tell(organizationId, 'run', runId)
  }),

  settle: runnerProcedure.input(settleRequest).mutation(async ({ ctx, input }): Promise<SettleAnswer[]> => {
    const { machineId, organizationId } = ctx.principal
    const answers = await ctx.leases.settle(machineId, input.sentAt, input.runs)
    if (input.runs.some(stopsAgents)) ctx.hints.send('config', machineId)
    for (const answer of answers) {
      const report = input.runs.find((one) => one.runId === answer.runId)
      if (report && answer.result === 'settled') ctx.metrics.countRunEnd(report.state)
      ctx.changes.tell(organizationId, 'run', answer.runId)
      ctx.hints.send('run', answer.runId)
    }
    ctx.sessions.get(machineId)?.free(answers.map((answer) => answer.deliveryId))
    return answers
  }),

  /** The values of the secrets of a run's agent, for the machine that holds the run, right before its start. */
  secrets: runnerProcedure.input(secretsRequest).mutation(async ({ ctx, input }): Promise<SecretsAnswer> => {
    const { runId, fence } = input
    const sealed = await listRunSecrets(ctx.connection.db, ctx.principal.machineId, runId, fence)
    const open = ({ agentId, name, sealed: text }: SealedSecret) =>
      [name, openSecret(ctx.keys.seal, agentSecretContext(agentId, name), text)] as const
    return { values: sealed && Object.fromEntries(sealed.map(open)) }
  }),

  /** The texts of the skills of a run's agent. */
  skills: runnerProcedure.input(skillsRequest).mutation(async ({ ctx, input }): Promise<SkillsAnswer> => {
    const skills = await listRunSkills(ctx.connection.db, ctx.principal.machineId, input.runId, input.fence)
    return { skills }
  }),

  /** What came of orders to put workspaces back. */
  undone: runnerProcedure.input(undoneRequest).mutation(async ({ ctx, input }) => {
    const { machineId, organizationId } = ctx.principal
    for (const runId of await settleUndos(ctx.connection.db, machineId, input.undos))
      ctx.changes.tell(organizationId, 'run', runId)
  }),

  /** What became of outputs that this machine carried out. */
  reportOrders: runnerProcedure
    .input(reportOrdersRequest)
    .mutation(({ ctx, input }) => recordOrders(ctx.connection.db, ctx.principal.machineId, input.orders)),

  /** A short token of GitHub for pushing the branch of this run, for the machine that holds its lease. */
  githubToken: runnerProcedure
    .input(githubTokenRequest)
    .mutation(
      ({ ctx, input }): Promise<GithubPushGrant> => ctx.github.grantPush(ctx.principal.machineId, input),
    ),

  /** What became of the push; its token is revoked. */
  githubPushed: runnerProcedure
    .input(githubPushedRequest)
    .mutation(({ ctx, input }) => ctx.github.endPush(ctx.principal.machineId, input)),

  /** Changed files and pushes, each stored once however often it is told; and what became of the watches. */
  fire: runnerProcedure.input(fireRequest).mutation(async ({ ctx, input }): Promise<FireAnswer[]> => {
    const { machineId, organizationId } = ctx.principal
    if (input.watches.length > 0) {
      await saveWatchStates(ctx.connection.db, machineId, input.watches)
      ctx.changes.tell(organizationId, 'machine', machineId)
    }
    return await fireAllReported(ctx, organizationId, input.fires, mayFire(machineId))
  }),

  goodbye: runnerProcedure.input(goodbyeRequest).mutation(async ({ ctx, input }) => {
    const { machineId, organizationId } = ctx.principal
    const session = ctx.sessions.get(machineId)
    if (!session) return
    await sayGoodbye(ctx.connection.db, machineId, session.instanceId, input.cause)
    ctx.changes.tell(organizationId, 'machine', machineId)
  }),
})

/** Agents of this machine may take no more work now: what sessions remember of them is old. */
const stopsAgents = ({ errorKind }: { errorKind: ErrorKind | null }) =>
  errorKind === 'quota' || errorKind === 'not_signed_in'

const sessionOf = ({ instanceId, slots, watchesVersion }: z.output<typeof openSession>) => ({
  instanceId,
  slots,
  ...(watchesVersion ? { watchesVersion } : {}),
})

/** A machine says what its own agents' folders do; a push hook may fire any job of its organization that waits for one. */
const mayFire = (machineId: MachineId) => (target: TriggerTargetRow) =>
  target.kind === 'git_push' || target.machine_id === machineId

function leaseAnswer(deliveryId: LeaseAnswer['deliveryId'], ok: boolean): LeaseAnswer {
  return { deliveryId, ok, reason: ok ? null : 'lease_lost' }
}
