import { failed } from '../agents/run-ends.ts'
import { type ReadySupervisor, readySupervisor } from '../processes/start-supervised.ts'
import { type Admitted, admitDelivery, type Refusal } from './admit-delivery.ts'
import { closeRun, finishRun } from './end-run.ts'
import { equipAgent } from './equip-agent.ts'
import { followAgent, noteStart } from './follow-run.ts'
import { guardReader } from './guard-reader.ts'
import { materialize, type Ready } from './materialize.ts'
import { never } from './refusals.ts'
import { emptyRunFolder } from './run-folder.ts'
import type { RunLife } from './run-life.ts'
import { unstartedEnd } from './run-work.ts'
import { readSpawnReport, writeSpawnReport } from './spawn-report.ts'
import { LEASE_LOST, stoppedVerdict } from './stop-request.ts'
import { noteBefore } from './workspace-changes.ts'

/** What is to be done instead of starting the agent. */
type Instead = () => Promise<void>

/** From the push of a delivery to its agent, or to its refusal. On the disk before the relay is told that it is taken. */
export async function beginPushed(life: RunLife): Promise<void> {
  const { context, delivery, folder } = life
  await startUnless(life, async () => {
    const admitted = await admitDelivery(context, delivery, folder)
    if ('errorKind' in admitted) return () => refuseRun(life, admitted)
    await context.journal.append({ kind: 'accepted', delivery })
    life.enter('accepted')
    return await accept(life, admitted)
  })
}

/** An earlier runner put it on the disk, and its agent was never started. */
export async function beginAccepted(life: RunLife): Promise<void> {
  const { context, delivery, folder } = life
  const admitted = await admitDelivery(context, delivery, folder)
  await context.writes.ready(life.signal)
  await startUnless(life, () => accept(life, admitted))
}

export async function refuseRun(life: RunLife, refusal: Refusal): Promise<void> {
  const { context, lease } = life
  life.logger.warn({ refusal }, 'A delivery was refused.')
  context.turns.leave(lease.runId)
  await emptyRunFolder(life.folder)
  await life.answered(() => context.calls.refuse({ ...lease, ...refusal }))
  life.enter('closed')
}

/** The supervisor boots while `prepare` finds out whether the agent is to be started, or what is to be done instead. */
async function startUnless(life: RunLife, prepare: () => Promise<Ready | Instead>): Promise<void> {
  const supervisor = await readySupervisor(life.folder, life.lease.runId)
  let next: Ready | Instead | null = null
  try {
    next = await prepare()
  } finally {
    if (next === null || typeof next === 'function') supervisor.dismiss()
  }
  if (typeof next === 'function') await next()
  else await start(life, next, supervisor)
}

/** Nothing is started before the relay has said that the delivery is this runner's. */
async function accept(life: RunLife, admitted: Admitted | Refusal): Promise<Ready | Instead> {
  const { context, lease } = life
  if (!(life.stop && life.leased)) {
    const answer = await life.answered(() => context.calls.accept(lease))
    if (!answer.ok) return () => closeRun(life, answer.reason ?? 'not accepted')
  }
  life.leased = true
  if (life.stop || 'errorKind' in admitted) return () => finishUnstarted(life, admitted)
  const ready = await materializeOrStop(life, admitted)
  if (life.stop || 'errorKind' in ready) return () => finishUnstarted(life, ready)
  const secrets = await equipAgent(life, admitted)
  if (secrets === null) life.requestStop(LEASE_LOST)
  if (life.stop || secrets === null) return () => finishUnstarted(life, admitted)
  const { prepared } = ready
  const env = { ...prepared.command.env, ...secrets }
  return { ...ready, prepared: { ...prepared, command: { ...prepared.command, env } } }
}

/** Making a worktree or a container ends at once when the run is to stop. */
async function materializeOrStop(life: RunLife, admitted: Admitted): Promise<Ready | Refusal> {
  try {
    return await materialize(life, admitted)
  } catch (error) {
    if (!life.stop) throw error
    return never('internal', 'It was stopped before its workspace was made.')
  }
}

async function finishUnstarted(life: RunLife, admitted: Admitted | Refusal): Promise<void> {
  const verdict = life.stop
    ? stoppedVerdict(life.stop)
    : 'errorKind' in admitted
      ? failed(admitted.errorKind, admitted.message)
      : failed('internal', 'It was not started.')
  await finishRun(life, await life.record.open(), unstartedEnd(verdict))
}

async function start(
  life: RunLife,
  { cwd, driver, prepared, inside, madeWorktree, policy, delivery, notes }: Ready,
  supervisor: ReadySupervisor,
): Promise<void> {
  const { context, folder } = life
  const transcript = await life.record.open()
  await Promise.all([
    context.journal.append({ kind: 'started', runId: life.lease.runId }),
    writeSpawnReport(folder, { runtime: driver.runtime, cwd, prepared, delivery, notes }),
    noteBefore(life, cwd, madeWorktree),
  ])
  life.enter('running')
  const begun = await supervisor.start({
    ...prepared.command,
    cwd,
    abandonAfterMs: context.abandonAfterMs,
    inside,
  })
  if ('refused' in begun)
    return await finishRun(life, transcript, unstartedEnd(failed(begun.refused, begun.message)))
  life.watchOver(begun)
  await noteStart(life, transcript, await readSpawnReport(folder), begun.pid)
  if (notes.length > 0) await transcript.note(notes.map((text) => ({ type: 'status', text })))
  const reader = guardReader(life, delivery, driver.createReader({ delivery, policy, cwd }))
  const { maxWallMs } = policy
  const rules = delivery.agent.approvals
  await followAgent(life, { run: begun, reader, transcript, cwd, maxWallMs, rules })
}
