import { join } from 'node:path'
import type { AgentId, ExportRow, JobId, MachineId } from '@baton/protocol'
import { type TranscriptHeader, transcriptHeader } from '@baton/protocol/transcript-file'
import { fileOf } from './export-folder.ts'
import { fileLines } from './file-lines.ts'

/** What the header of a transcript says beside what is in its run's row. */
export type NamesOfRuns = {
  agents: Map<string, { id: AgentId; key: string }>
  machines: Map<string, { id: MachineId; name: string }>
  jobs: Map<string, { id: JobId; key: string }>
  storedAt: Map<string, number>
}

export async function readNames(folder: string): Promise<NamesOfRuns> {
  const names: NamesOfRuns = { agents: new Map(), machines: new Map(), jobs: new Map(), storedAt: new Map() }
  for await (const row of rowsOf<ExportRow<'agents'>>(folder, 'agents')) names.agents.set(row.id, row)
  for await (const row of rowsOf<ExportRow<'machines'>>(folder, 'machines')) names.machines.set(row.id, row)
  for await (const row of rowsOf<ExportRow<'jobs'>>(folder, 'jobs')) names.jobs.set(row.id, row)
  for await (const row of rowsOf<ExportRow<'deliveries'>>(folder, 'deliveries'))
    names.storedAt.set(row.id, Date.parse(row.createdAt))
  return names
}

async function* rowsOf<T>(folder: string, kind: 'agents' | 'machines' | 'jobs' | 'deliveries') {
  for await (const line of fileLines(join(folder, fileOf(kind)))) yield JSON.parse(line.toString('utf8')) as T
}

/** The header of a run's transcript, from the rows of an export alone: the same wherever it is made. */
export function exportedHeader(run: ExportRow<'runs'>, names: NamesOfRuns): TranscriptHeader {
  const at = (time: string | null) => (time === null ? null : Date.parse(time))
  return transcriptHeader({
    id: run.id,
    deliveryId: run.deliveryId,
    attempt: run.attempt,
    agent: {
      name: '',
      runtime: 'command',
      ...(names.agents.get(run.agentId) ?? { id: run.agentId, key: '' }),
    },
    machine: { state: 'offline', ...(names.machines.get(run.machineId) ?? { id: run.machineId, name: '' }) },
    job: run.jobId && { name: '', ...(names.jobs.get(run.jobId) ?? { id: run.jobId, key: '' }) },
    state: run.state,
    outcome: run.outcome,
    ladder: {
      storedAt: names.storedAt.get(run.deliveryId) ?? 0,
      leasedAt: at(run.leasedAt),
      acceptedAt: at(run.acceptedAt),
      startedAt: at(run.startedAt),
      firstOutputAt: at(run.firstOutputAt),
      consumedAt: at(run.consumedAt),
      finishedAt: at(run.finishedAt),
    },
    transcript: { expected: run.finalSeq, expectedHash: run.finalHash },
  })
}
