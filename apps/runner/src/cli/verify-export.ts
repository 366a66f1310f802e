import { createHash } from 'node:crypto'
import { join } from 'node:path'
import {
  EXPORT_KINDS,
  type ExportKind,
  type ExportManifest,
  type ExportRow,
  exportRows,
  LATER_KINDS,
  ROW_KINDS,
  type RowKind,
} from '@baton/protocol'
import { verifyTranscripts } from '@baton/protocol/verify-transcript'
import { fileOf, parseJson, readManifest } from './export-folder.ts'
import { exportedHeader, readNames } from './exported-header.ts'
import { fileLines } from './file-lines.ts'

export type ExportVerdict = {
  ok: boolean
  manifest: ExportManifest
  runEvents: number
  /** Runs whose transcript had not all arrived when it was exported; they are what they were. */
  partial: number
  problems: { file: string; line: number | null; what: string }[]
}

const MOST_PROBLEMS = 20

/** Which row a row of each kind refers to. */
const REFERENCES: { [K in RowKind]?: Record<string, RowKind> } = {
  agents: { machineId: 'machines' },
  skills: { agentId: 'agents' },
  sessions: { agentId: 'agents', machineId: 'machines' },
  usage: { agentId: 'agents', machineId: 'machines', jobId: 'jobs' },
  jobs: { agentId: 'agents' },
  triggers: { jobId: 'jobs' },
  events: { jobId: 'jobs', triggerId: 'triggers' },
  deliveries: { eventId: 'events', jobId: 'jobs', agentId: 'agents', machineId: 'machines' },
  runs: { deliveryId: 'deliveries', machineId: 'machines', agentId: 'agents', jobId: 'jobs' },
  approvals: { runId: 'runs', deliveryId: 'deliveries' },
  outputs: { jobId: 'jobs' },
  dispatches: { outputId: 'outputs', jobId: 'jobs', eventId: 'events', deliveryId: 'deliveries' },
}

/** Reads all of an export and asks nobody: sizes, hashes, every row and what it refers to, every transcript. */
export async function verifyExport(folder: string): Promise<ExportVerdict> {
  const manifest = await readManifest(folder)
  const verdict: ExportVerdict = { ok: false, manifest, runEvents: 0, partial: 0, problems: [] }
  const problem = (file: string, line: number | null, what: string) => {
    if (verdict.problems.length < MOST_PROBLEMS) verdict.problems.push({ file, line, what })
  }
  const kinds = manifest.files.map((file) => file.kind)
  const expected = EXPORT_KINDS.filter((kind) => kinds.includes(kind) || !LATER_KINDS.includes(kind))
  if (kinds.join(' ') !== expected.join(' '))
    problem('manifest.json', null, `it names other files: ${kinds.join(' ')}`)
  for (const file of manifest.files) {
    if (file.file !== fileOf(file.kind)) problem('manifest.json', null, `it names "${file.file}"`)
    else await checkFile(folder, file, problem)
  }
  // What follows reads rows and would only repeat, in other words, that a file was changed.
  if (verdict.problems.length === 0) await checkRows(folder, kinds, problem)
  if (verdict.problems.length === 0) await checkTranscripts(folder, verdict, problem)
  verdict.ok = verdict.problems.length === 0
  return verdict
}

type Problem = (file: string, line: number | null, what: string) => void

async function checkFile(
  folder: string,
  { file, lines, bytes, sha256 }: ExportManifest['files'][number],
  problem: Problem,
): Promise<void> {
  const hash = createHash('sha256')
  let seenLines = 0
  let seenBytes = 0
  try {
    for await (const line of fileLines(join(folder, file))) {
      hash.update(line)
      seenLines += 1
      seenBytes += line.length
    }
  } catch (error) {
    return problem(file, null, `it cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (seenBytes !== bytes) problem(file, null, `it has ${seenBytes} bytes; the manifest says ${bytes}`)
  else if (hash.digest('hex') !== sha256) problem(file, null, 'its SHA-256 is another than the manifest says')
  else if (seenLines !== lines) problem(file, null, `it has ${seenLines} lines; the manifest says ${lines}`)
}

async function checkRows(folder: string, kinds: readonly ExportKind[], problem: Problem): Promise<void> {
  const ids = new Map<RowKind, Set<string>>()
  for (const kind of ROW_KINDS.filter((kind) => kinds.includes(kind))) {
    const own = new Set<string>()
    ids.set(kind, own)
    let number = 0
    let last = ''
    for await (const line of fileLines(join(folder, fileOf(kind)))) {
      number += 1
      const row = exportRows[kind].safeParse(parseJson(line.toString('utf8')))
      if (!row.success) {
        problem(fileOf(kind), number, `it is no row of ${kind}`)
        continue
      }
      const fields = row.data as Record<string, unknown>
      for (const [field, to] of Object.entries(REFERENCES[kind] ?? {})) {
        const id = fields[field]
        if (typeof id === 'string' && !ids.get(to)?.has(id))
          problem(fileOf(kind), number, `it refers to ${id}, which is not in ${fileOf(to)}`)
      }
      if (kind === 'organization') continue
      const id = String(fields.id)
      if (id <= last) problem(fileOf(kind), number, 'it is there twice, or in another order')
      last = id
      own.add(id)
    }
  }
}

async function checkTranscripts(folder: string, verdict: ExportVerdict, problem: Problem): Promise<void> {
  const file = fileOf('transcripts')
  const names = await readNames(folder)
  const verdicts = verifyTranscripts(fileLines(join(folder, file)))
  for await (const line of fileLines(join(folder, fileOf('runs')))) {
    const run = JSON.parse(line.toString('utf8')) as ExportRow<'runs'>
    const next = await verdicts.next()
    if (next.done) return problem(file, null, `the transcript of ${run.id} is missing`)
    const transcript = next.value
    const first = transcript.problems[0]
    if (first) problem(file, first.line, first.what)
    else if (JSON.stringify(transcript.header) !== JSON.stringify(exportedHeader(run, names)))
      problem(file, null, `the transcript of ${run.id} stands under another header`)
    else if (transcript.events !== run.lastSeq || transcript.hash !== run.lastHash)
      problem(file, null, `the transcript of ${run.id} is not the one that its run tells of`)
    verdict.runEvents += transcript.events
    if (!transcript.complete) verdict.partial += 1
  }
  const next = await verdicts.next()
  if (!next.done && next.value.run !== null)
    problem(file, null, `the transcript of ${next.value.run} has no run`)
}
