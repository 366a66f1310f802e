import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  BatonError,
  EXPORT_FORMAT,
  type ExportKind,
  type ExportManifest,
  type ExportRow,
  type ExportStart,
  ROW_KINDS,
  type RowKind,
  type RunId,
} from '@baton/protocol'
import { transcriptLines } from '@baton/protocol/transcript-file'
import type { Baton } from '@baton/sdk'
import { makePrivateFolder } from '../config/private-file.ts'
import { fileOf, MANIFEST, PROGRESS, parseJson, replaceFile, writeManifest } from './export-folder.ts'
import { exportedHeader, readNames } from './exported-header.ts'
import { fileLines } from './file-lines.ts'
import { type LineFile, openLineFile } from './line-file.ts'

type Files = ExportManifest['files']
/** After every page: what is surely on the disk, and where the relay goes on. */
type Progress = {
  relay: string
  start: ExportStart
  files: Files
  open: { kind: ExportKind; bytes: number; lines: number; cursor: string | null } | null
}

export type Exported = ExportManifest & { resumed: boolean }

/** Between two writes of the progress: what is asked for again after a cut. */
const SAVE_EVERY_BYTES = 4 * 1024 * 1024

/**
 * Writes the caller's organization into a folder. Interrupted at any moment, the same call goes on after the last page
 * that is surely on the disk; the manifest comes last, so that a folder with one is whole.
 */
export async function exportOrganization(baton: Baton, folder: string): Promise<Exported> {
  await makePrivateFolder(folder).catch(refuseFolder(folder, 'no folder can be made there'))
  if (await exists(join(folder, MANIFEST)))
    throw new BatonError(
      'conflict',
      `There is an export in "${folder}" already. Give an empty or a new folder.`,
    )
  const before = await readProgress(folder, baton.url)
  const progress = before ?? {
    relay: baton.url,
    start: await baton.organization.exports.begin(),
    files: [],
    open: null,
  }
  const save = () => replaceFile(join(folder, PROGRESS), `${JSON.stringify(progress)}\n`)
  await save().catch(refuseFolder(folder, 'nothing can be written there'))
  for (const kind of ROW_KINDS) {
    if (!isDone(progress, kind)) await exportRowsOf(baton, folder, kind, progress, save)
  }
  if (!isDone(progress, 'transcripts')) await exportTranscripts(baton, folder, progress, save)
  const { organization, until, unfinished, makeAnew } = progress.start
  const manifest = {
    format: EXPORT_FORMAT,
    organization,
    until,
    unfinished,
    files: progress.files,
    makeAnew,
  } as const
  await writeManifest(folder, manifest)
  await rm(join(folder, PROGRESS))
  return { ...manifest, sha256: '', resumed: before !== null }
}

const refuseFolder = (folder: string, what: string) => (cause: Error) => {
  throw new BatonError(
    'bad_input',
    `--out ${folder}: ${what} (${cause.message}). Give a new or an empty folder of an ordinary disk.`,
    { cause },
  )
}

const isDone = (progress: Progress, kind: ExportKind) => progress.files.some((file) => file.kind === kind)

async function exportRowsOf(
  baton: Baton,
  folder: string,
  kind: RowKind,
  progress: Progress,
  save: () => Promise<void>,
): Promise<void> {
  const { file, open } = await openAt(folder, kind, progress)
  await using _closed = closing(file)
  for (;;) {
    const page = await baton.organization.exports.page({
      kind,
      until: progress.start.until,
      cursor: open.cursor,
    })
    for (const row of page.rows) await file.write(`${JSON.stringify(row)}\n`)
    open.lines += page.rows.length
    if (page.next === null) break
    open.cursor = page.next
    open.bytes = await file.sync()
    await save()
  }
  await finish(file, kind, progress, save)
}

async function exportTranscripts(
  baton: Baton,
  folder: string,
  progress: Progress,
  save: () => Promise<void>,
): Promise<void> {
  const { file, open } = await openAt(folder, 'transcripts', progress)
  await using _closed = closing(file)
  const names = await readNames(folder)
  const pages = createPages(baton, progress.start.until, open.cursor)
  let saved = open.bytes
  let bytes = open.bytes
  for await (const line of fileLines(join(folder, fileOf('runs')))) {
    const run = JSON.parse(line.toString('utf8')) as ExportRow<'runs'>
    if (open.cursor !== null && run.id <= open.cursor) continue
    for await (const text of transcriptLines(exportedHeader(run, names), pages.of(run.id))) {
      await file.write(text)
      bytes += Buffer.byteLength(text)
      open.lines += 1
    }
    open.cursor = run.id
    if (bytes - saved < SAVE_EVERY_BYTES) continue
    open.bytes = await file.sync()
    saved = open.bytes
    await save()
  }
  await finish(file, 'transcripts', progress, save)
}

/** The run events of one run after another, out of pages that hold those of many. */
function createPages(baton: Baton, until: string, after: string | null) {
  type Row = { run: RunId; seq: number; text: string }
  let rows: Row[] = []
  let at = 0
  let cursor = after
  let isOver = false

  async function next(): Promise<Row | null> {
    while (at === rows.length && !isOver) {
      const page = await baton.organization.exports.page({ kind: 'transcripts', until, cursor })
      rows = page.rows as Row[]
      at = 0
      cursor = page.next
      isOver = page.next === null
    }
    return rows[at] ?? null
  }
  return {
    async *of(run: RunId) {
      for (let row = await next(); row !== null && row.run <= run; row = await next()) {
        at += 1
        if (row.run === run) yield row
      }
    },
  }
}

async function openAt(folder: string, kind: ExportKind, progress: Progress) {
  const open = progress.open?.kind === kind ? progress.open : { kind, bytes: 0, lines: 0, cursor: null }
  progress.open = open
  return { open, file: await openLineFile(join(folder, fileOf(kind)), { keep: open.bytes }) }
}

/** Whatever happens, the file does not stay open. */
const closing = (file: LineFile) => ({ [Symbol.asyncDispose]: async () => void (await file.close()) })

async function finish(file: LineFile, kind: ExportKind, progress: Progress, save: () => Promise<void>) {
  const { bytes, sha256 } = await file.close()
  progress.files.push({ kind, file: fileOf(kind), lines: progress.open?.lines ?? 0, bytes, sha256 })
  progress.open = null
  await save()
}

async function readProgress(folder: string, relay: string): Promise<Progress | null> {
  const text = await readFile(join(folder, PROGRESS), 'utf8').catch(() => null)
  if (text === null) return null
  const progress = parseJson(text) as Progress | undefined
  if (progress?.relay === relay) return progress
  throw new BatonError(
    'conflict',
    `An export of another relay was begun in "${folder}". Finish that one, or give another folder.`,
  )
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )
