import { join } from 'node:path'
import { type EventId, type ExportManifest, ROW_KINDS, type RowKind, type RunId } from '@baton/protocol'
import type { Baton, ImportCounts } from '@baton/sdk'
import { digestOf, fileOf } from './export-folder.ts'
import { fileLines } from './file-lines.ts'

/** Under the relay's limit for one call, whatever JSON makes of it. */
const BATCH_BYTES = 512 * 1024
const BATCH_ROWS = 500
/** A multiple of 3, so that the pieces of a body are whole in base64. */
const PIECE_BYTES = 768 * 1024

/**
 * Sends a verified export to the relay, in its order and in batches that may be repeated: what is there already stays, so
 * an import that was interrupted goes on, and one that was finished changes nothing.
 */
export async function importOrganization(
  baton: Baton,
  folder: string,
  manifest: ExportManifest,
  runEvents: number,
): Promise<'imported' | 'already'> {
  const { imports } = baton.organization
  const digest = digestOf(manifest.files)
  const { state } = await imports.begin(digest)
  if (state === 'done') return 'already'
  for (const kind of ROW_KINDS)
    if (manifest.files.some((file) => file.kind === kind)) await importFile(baton, folder, kind, digest)
  await importTranscripts(baton, folder, digest)
  const linesOf = (kind: RowKind) => manifest.files.find((file) => file.kind === kind)?.lines ?? 0
  const counts: ImportCounts = {
    machines: linesOf('machines'),
    agents: linesOf('agents'),
    skills: linesOf('skills'),
    sessions: linesOf('sessions'),
    usage: linesOf('usage'),
    jobs: linesOf('jobs'),
    triggers: linesOf('triggers'),
    events: linesOf('events'),
    deliveries: linesOf('deliveries'),
    runs: linesOf('runs'),
    approvals: linesOf('approvals'),
    outputs: linesOf('outputs'),
    dispatches: linesOf('dispatches'),
    runEvents,
  }
  await imports.finish(digest, counts)
  return 'imported'
}

async function importFile(baton: Baton, folder: string, kind: RowKind, digest: string): Promise<void> {
  const { imports } = baton.organization
  const batch = createBatch<unknown>((rows) => imports.rows(digest, kind, rows))
  for await (const line of fileLines(join(folder, fileOf(kind)))) {
    const row = JSON.parse(line.toString('utf8'))
    if (line.length <= PIECE_BYTES || kind !== 'events') {
      await batch.add(row, line.length)
      continue
    }
    const pieces = cutBody(row.body)
    await batch.add({ ...row, body: pieces[0] }, PIECE_BYTES)
    await batch.flush()
    let offset = Buffer.byteLength(pieces[0] ?? '', 'base64')
    for (const piece of pieces.slice(1)) {
      await imports.body(digest, row.id as EventId, offset, piece)
      offset += Buffer.byteLength(piece, 'base64')
    }
  }
  await batch.flush()
}

function cutBody(base64: string): string[] {
  const length = (PIECE_BYTES / 3) * 4
  const pieces: string[] = []
  for (let at = 0; at < base64.length; at += length) pieces.push(base64.slice(at, at + length))
  return pieces
}

type Part = { run: RunId; fromSeq: number; texts: string[] }

async function importTranscripts(baton: Baton, folder: string, digest: string): Promise<void> {
  let parts: Part[] = []
  const batch = createBatch<null>(() => {
    const sent = parts
    parts = []
    return baton.organization.imports.transcripts(digest, sent)
  })
  let run: RunId | null = null
  for await (const line of fileLines(join(folder, fileOf('transcripts')))) {
    const row = JSON.parse(line.toString('utf8')) as { run?: RunId; seq?: number; text?: string }
    if (row.run !== undefined) run = row.run
    if (run === null || row.seq === undefined || row.text === undefined) continue
    const part = parts.at(-1)
    if (part?.run === run) part.texts.push(row.text)
    else parts.push({ run, fromSeq: row.seq, texts: [row.text] })
    await batch.add(null, line.length)
  }
  await batch.flush()
}

/** Sends what gathered before it grows too large for one call. */
function createBatch<T>(send: (items: T[]) => Promise<void>) {
  let items: T[] = []
  let bytes = 0
  async function flush() {
    if (items.length === 0) return
    const sent = items
    items = []
    bytes = 0
    await send(sent)
  }
  return {
    flush,
    async add(item: T, itemBytes: number) {
      items.push(item)
      bytes += itemBytes
      if (items.length >= BATCH_ROWS || bytes >= BATCH_BYTES) await flush()
    },
  }
}
