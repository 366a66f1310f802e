import { type AppendItem, appendRunEvents, type Db, listImportedRuns } from '@baton/db'
import { BatonError, type OrganizationId, type RunId } from '@baton/protocol'
import { transcriptStep } from '@baton/protocol/transcript-hash'

export type TranscriptPart = { run: RunId; fromSeq: number; texts: string[] }

/**
 * Stores pieces of imported transcripts, one for each run, each following what is here. The relay counts and hashes
 * them itself, so that a run's certificate says what is really stored. What is here already is left out.
 */
export async function importTranscripts(
  db: Db,
  organizationId: OrganizationId,
  parts: readonly TranscriptPart[],
): Promise<number> {
  const runs = new Map(
    (
      await listImportedRuns(
        db,
        organizationId,
        parts.map((part) => part.run),
      )
    ).map((run) => [run.id, run]),
  )
  const items: AppendItem[] = []
  for (const { run: id, fromSeq, texts } of parts) {
    const run = runs.get(id)
    if (!run) throw new BatonError('not_found', `There is no run "${id}" here; import the runs first.`)
    if (fromSeq > run.lastSeq + 1)
      throw new BatonError(
        'conflict',
        `The transcript of ${id} is here up to ${run.lastSeq}; go on from there.`,
      )
    const fresh = texts.slice(run.lastSeq + 1 - fromSeq)
    if (fresh.length === 0) continue
    items.push({
      runId: id,
      machineId: run.machineId,
      fence: 0,
      fromSeq: run.lastSeq + 1,
      hashBefore: run.lastHash,
      hashAfter: fresh.reduce(transcriptStep, run.lastHash),
      texts: fresh,
      firstOutput: false,
      consumed: false,
    })
  }
  if (items.length === 0) return 0
  const stored = await appendRunEvents(db, items)
  const left = items.find((item) => !stored.has(item.runId))
  if (left)
    throw new BatonError(
      'conflict',
      `The transcript of ${left.runId} changed while it was imported; begin again.`,
    )
  return items.reduce((sum, item) => sum + item.texts.length, 0)
}
