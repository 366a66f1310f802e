import type { KillProof } from '@baton/protocol'
import { endInside, joinProofs } from './end-inside.ts'
import { endTree } from './end-tree.ts'
import { readBootId } from './process-table.ts'
import { createProcessTree } from './process-tree.ts'
import { openRunCgroup } from './run-cgroup.ts'
import type { SupervisorRecord } from './run-files.ts'

const GRACE_MS = 2_000

/** Ends what a dead supervisor left running. Null when nothing was there, as always after a restart of the machine. */
export async function endOrphan(runId: string, record: SupervisorRecord): Promise<KillProof | null> {
  if (record.bootId !== readBootId()) return null
  const cgroup = record.cgroup ? openRunCgroup(record.cgroup, null) : null
  // A supervisor killed between the spawn and its record leaves no agent's pid; the mark and the group still find it.
  const root = record.agent ?? { pid: 0, startTime: '' }
  const inside = record.inside ? await endInside(record.inside, GRACE_MS) : null
  const proof = await endTree(createProcessTree({ root, runId, cgroup }), GRACE_MS)
  cgroup?.remove()
  return joinProofs(inside, proof)
}
