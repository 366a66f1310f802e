import type { SettleReport } from '@baton/protocol'
import { pushRun } from '../github/push-run.ts'
import { finishedEvent, toFinishFacts } from './finish-facts.ts'
import { emptyRunFolder } from './run-folder.ts'
import type { RunLife } from './run-life.ts'
import type { WorkEnd } from './run-work.ts'
import type { FinishFacts, Transcript } from './transcript.ts'
import { dropUnusedWorktree } from './workspace-changes.ts'

/** The last events of the transcript, then the end on the disk, then to the relay. */
export async function finishRun(
  life: RunLife,
  transcript: Transcript,
  { end, exit, last, changes }: WorkEnd,
): Promise<void> {
  const told = life.mask ? life.mask.deep({ end, last, changes }) : { end, last, changes }
  const facts = toFinishFacts(told.end, exit, transcript.memo(), told.changes)
  await transcript.finish([...told.last, finishedEvent(facts)], facts)
  await settleRun(life, facts)
}

/** The transcript has its end already. */
export async function settleRun(life: RunLife, facts: FinishFacts): Promise<void> {
  const settle = await life.record.recordEnd(facts)
  life.enter('finished')
  await reportEnd(life, settle)
}

/** The end is in the journal already. */
export async function reportEnd(life: RunLife, settle: SettleReport): Promise<void> {
  await life.startReported
  await pushRun({ ...life, calls: life.context.calls }, settle)
  await closeRun(life, await life.record.send(settle))
}

export async function closeRun(life: RunLife, why: string): Promise<void> {
  const { deliveryId, runId } = life.lease
  await life.context.journal.append({ kind: 'closed', deliveryId, runId, why })
  life.release()
  await life.record.close()
  await dropUnusedWorktree(life)
  await life.context.containers.release(runId)
  await emptyRunFolder(life.folder)
  life.logger.info({ why }, 'The run is closed.')
  life.enter('closed')
}
