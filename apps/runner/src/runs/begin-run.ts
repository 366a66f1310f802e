import { failed } from '../agents/run-ends.ts'
import { type ReadySupervisor, readySupervisor } from '../processes/start-supervised.ts'
import { takeSnapshot } from '../workspaces/changed-files.ts'
import { type Admitted, admitDelivery, type Refusal } from './admit-delivery.ts'
import { closeRun, finishRun } from './end-run.ts'
import { followAgent, noteStart } from './follow-run.ts'
import { emptyRunFolder, writeSnapshot } from './run-folder.ts'
import type { RunLife } from './run-life.ts'
import { unstartedEnd } from './run-work.ts'
import { readSpawnReport, writeSpawnReport } from './spawn-report.ts'
import { stoppedVerdict } from './stop-request.ts'

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
async function startUnless(life: RunLife, prepare: () => Promise<Admitted | Instead>): Promise<void> {
  const supervisor = await readySupervisor(life.folder, life.lease.runId)
  let next: Admitted | Instead | null = null
  try {
    next = await prepare()
  } finally {
    if (next === null || typeof next === 'function') supervisor.dismiss()
  }
  if (typeof next === 'function') await next()
  else await start(life, next, supervisor)
}

/** Nothing is started before the relay has said that the delivery is this runner's. */
async function accept(life: RunLife, admitted: Admitted | Refusal): Promise<Admitted | Instead> {
  const { context, lease } = life
  if (!(life.stop && life.leased)) {
    const answer = await life.answered(() => context.calls.accept(lease))
    if (!answer.ok) return () => closeRun(life, answer.reason ?? 'not accepted')
  }
  life.leased = true
  return life.stop || 'errorKind' in admitted ? () => finishUnstarted(life, admitted) : admitted
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
  { cwd, driver, prepared, policy }: Admitted,
  supervisor: ReadySupervisor,
): Promise<void> {
  const { context, delivery, folder } = life
  const transcript = await life.record.open()
  await Promise.all([
    context.journal.append({ kind: 'started', runId: life.lease.runId }),
    writeSpawnReport(folder, driver.runtime, cwd, prepared),
    takeSnapshot(cwd).then((snapshot) => writeSnapshot(folder, snapshot)),
  ])
  life.enter('running')
  const begun = await supervisor.start({ ...prepared.command, cwd, abandonAfterMs: context.abandonAfterMs })
  if ('refused' in begun)
    return await finishRun(life, transcript, unstartedEnd(failed(begun.refused, begun.message)))
  life.watchOver(begun)
  await noteStart(life, transcript, await readSpawnReport(folder), begun.pid)
  const reader = driver.createReader({ delivery, policy })
  await followAgent(life, { run: begun, reader, transcript, cwd, maxWallMs: policy.maxWallMs })
}
