import type { ApprovalRules, PushedDelivery } from '@baton/protocol'
import { driverFor } from '../agents/driver-for.ts'
import { leastPower, withoutApprovals } from '../agents/profile/least-power.ts'
import type { AgentPolicy, RunReader } from '../agents/runtime.ts'
import type { GoneRun, SupervisedRun } from '../processes/supervised-run.ts'
import { finishRun } from './end-run.ts'
import { maskAdopted } from './equip-agent.ts'
import { guardReader } from './guard-reader.ts'
import type { RunLife } from './run-life.ts'
import { effectiveLimits, endLeftWork, watchWork } from './run-work.ts'
import { addExitToReport, readSpawnReport, type SpawnReport } from './spawn-report.ts'
import { CANCELLED, LEASE_LOST } from './stop-request.ts'
import type { Transcript } from './transcript.ts'
import { findChanges } from './workspace-changes.ts'

export type Followed = {
  run: SupervisedRun
  reader: RunReader
  transcript: Transcript
  cwd: string
  maxWallMs: number | null
  /** As this machine's policy lets them count. */
  rules: ApprovalRules
}

/** Reports that the agent runs and follows it to its end, and the run to its. */
export async function followAgent(life: RunLife, { run, maxWallMs, ...work }: Followed): Promise<void> {
  reportStart(life, work.transcript, work.cwd)
  const ended = await watchWork({
    ...work,
    supervised: run,
    findChanges: () => findChanges(life),
    limits: effectiveLimits(life.delivery.limits, maxWallMs),
    controls: life.controls,
    requestStop: (request) => life.requestStop(request),
    stopRequest: () => life.stop,
    signal: life.signal,
  })
  run.release()
  life.watchOver(null)
  await addExitToReport(life.folder, ended.exit, life.mask)
  await finishRun(life, work.transcript, ended)
}

/** An earlier runner started it. Its agent runs, has ended, or was lost with its supervisor. */
export async function resumeAgent(
  life: RunLife,
  left: SupervisedRun | GoneRun,
  transcript: Transcript,
): Promise<void> {
  const { context, delivery, folder, lease } = life
  const spawned = await readSpawnReport(folder)
  const cwd = spawned?.cwd ?? delivery.workspace.path ?? folder
  context.turns.take(cwd, lease.runId)
  const memo = transcript.memo()
  if (memo.startedAt === null) await noteStart(life, transcript, spawned, 'gone' in left ? null : left.pid)
  const policy = await context.policy()
  const effective = policy.ok ? leastPower(delivery, policy.value).delivery : withoutApprovals(delivery)
  await maskAdopted(life, effective)
  const commands = policy.ok ? policy.value.commands : {}
  const reader = guardReader(
    life,
    effective,
    createReader(effective, memo.reader === null ? null : transcript, commands, cwd),
  )
  if ('gone' in left)
    return await finishRun(
      life,
      transcript,
      await endLeftWork(left, reader, transcript, () => findChanges(life), life.signal),
    )
  life.watchOver(left)
  const seenAt = context.predecessorSeenAt
  const afterMs = seenAt === null ? null : Math.max(0, Date.now() - seenAt)
  await transcript.note([{ type: 'adopted', afterMs, why: 'The runner was restarted; its agent ran on.' }])
  const maxWallMs = policy.ok ? policy.value.maxWallMs : null
  const rules = effective.agent.approvals
  await followAgent(life, { run: left, reader, transcript, cwd, maxWallMs, rules })
}

export async function noteStart(
  { delivery }: RunLife,
  transcript: Transcript,
  spawned: SpawnReport | null,
  pid: number | null,
): Promise<void> {
  const startedAt = Date.now()
  const workspace = spawned?.cwd ?? delivery.workspace.path ?? ''
  const { runtime } = delivery.agent
  const command = spawned?.shown ?? []
  const version = spawned?.version ?? null
  await transcript.note([{ type: 'started', runtime, command, version, workspace, pid }], { startedAt })
}

function createReader(
  delivery: PushedDelivery,
  goOn: Transcript | null,
  commands: AgentPolicy['commands'],
  cwd: string,
): RunReader {
  const driver = driverFor(delivery.agent.runtime)
  if (!driver) throw new Error(`This version cannot read what ${delivery.agent.runtime} agents print.`)
  const from = goOn ? { committed: goOn.committed(), state: goOn.memo().reader } : undefined
  return driver.createReader({ delivery, policy: { commands }, cwd }, from)
}

function reportStart(life: RunLife, transcript: Transcript, workspace: string): void {
  const begun = { ...life.lease, startedAt: transcript.memo().startedAt ?? Date.now(), workspace }
  life.startReported = life
    .answered(() => life.context.calls.start(begun))
    .then((answer) => {
      if (answer.reason === 'cancelled') life.requestStop(CANCELLED)
      if (answer.reason === 'lease_lost') life.requestStop(LEASE_LOST)
    })
  life.startReported.catch(() => undefined)
}
