import { driverFor } from '../agents/driver-for.ts'
import type { AgentPolicy, RunReader } from '../agents/runtime.ts'
import type { GoneRun, SupervisedRun } from '../processes/supervised-run.ts'
import { finishRun } from './end-run.ts'
import type { RunLife } from './run-life.ts'
import { effectiveLimits, endLeftWork, watchWork } from './run-work.ts'
import { addExitToReport, readSpawnReport, type SpawnReport } from './spawn-report.ts'
import { CANCELLED, LEASE_LOST } from './stop-request.ts'
import type { Transcript } from './transcript.ts'

export type Followed = {
  run: SupervisedRun
  reader: RunReader
  transcript: Transcript
  cwd: string
  maxWallMs: number | null
}

/** Reports that the agent runs and follows it to its end, and the run to its. */
export async function followAgent(life: RunLife, { run, maxWallMs, ...work }: Followed): Promise<void> {
  reportStart(life, work.transcript, work.cwd)
  const ended = await watchWork({
    ...work,
    supervised: run,
    folder: life.folder,
    limits: effectiveLimits(life.delivery.limits, maxWallMs),
    rules: life.delivery.agent.approvals,
    controls: life.controls,
    requestStop: (request) => life.requestStop(request),
    stopRequest: () => life.stop,
    signal: life.signal,
  })
  run.release()
  life.watchOver(null)
  await addExitToReport(life.folder, ended.exit)
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
  const reader = createReader(
    life,
    memo.reader === null ? null : transcript,
    policy.ok ? policy.value.commands : {},
  )
  if ('gone' in left)
    return await finishRun(life, transcript, await endLeftWork(left, reader, transcript, life.signal))
  life.watchOver(left)
  const seenAt = context.predecessorSeenAt
  const afterMs = seenAt === null ? null : Math.max(0, Date.now() - seenAt)
  await transcript.note([{ type: 'adopted', afterMs, why: 'The runner was restarted; its agent ran on.' }])
  const maxWallMs = policy.ok ? policy.value.maxWallMs : null
  await followAgent(life, { run: left, reader, transcript, cwd, maxWallMs })
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
  { delivery }: RunLife,
  goOn: Transcript | null,
  commands: AgentPolicy['commands'],
): RunReader {
  const driver = driverFor(delivery.agent.runtime)
  if (!driver) throw new Error(`This version cannot read what ${delivery.agent.runtime} agents print.`)
  const from = goOn ? { committed: goOn.committed(), state: goOn.memo().reader } : undefined
  return driver.createReader({ delivery, policy: { commands } }, from)
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
