import { stat } from 'node:fs/promises'
import { BatonError, type ExportManifest } from '@baton/protocol'
import { MANIFEST } from './export-folder.ts'
import { exportOrganization as writeExport } from './export-organization.ts'
import { importOrganization as sendExport } from './import-organization.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'
import { table } from './text.ts'
import { type ExportVerdict, verifyExport } from './verify-export.ts'

const NOT_WHOLE = 8

export async function exportOrganization(
  session: Session,
  _args: string[],
  { out }: { out?: string },
): Promise<number> {
  if (!out) throw new BatonError('bad_input', 'Give a folder to write to: baton export --out <folder>')
  const baton = await session.baton()
  const { resumed } = await writeExport(baton, out)
  // What was written is read again, so that a disk or a change in the middle cannot make an export that is none.
  const verdict = await verifyExport(out)
  const { manifest } = verdict
  session.print({ folder: out, resumed, ...summaryOf(verdict) }, () =>
    [`${printable(manifest.organization.slug)} → ${out}`, filesTable(manifest, session)].join('\n'),
  )
  if (manifest.unfinished > 0) {
    session.note(
      `${manifest.unfinished} ${manifest.unfinished === 1 ? 'delivery' : 'deliveries'} had not finished and are not in it: elsewhere they would run a second time. Wait for them or cancel them, then export again.`,
    )
  }
  for (const problem of verdict.problems) session.note(problemLine(problem))
  if (!verdict.ok) {
    session.note('Something changed while this was written. Remove the folder and export again.')
    return NOT_WHOLE
  }
  session.note(
    'Keys, tokens, webhook secrets and GitHub Apps are not in it; the manifest lists them as "makeAnew".',
  )
  return 0
}

export async function importOrganization(
  session: Session,
  [folder = '']: string[],
  options: { verifyOnly?: boolean; organization?: string },
): Promise<number> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (!isFolder)
    throw new BatonError(
      'not_found',
      `There is no folder "${folder}". Give one that "baton export" wrote; it has a ${MANIFEST}.`,
    )
  const verdict = await verifyExport(folder)
  if (!verdict.ok) {
    session.print({ imported: false, ...summaryOf(verdict) }, () =>
      verdict.problems.map(problemLine).join('\n'),
    )
    session.note('This export is not as it was written. Nothing was imported.')
    return NOT_WHOLE
  }
  if (options.verifyOnly) {
    session.print({ imported: false, ...summaryOf(verdict) }, () =>
      [filesTable(verdict.manifest, session), `${session.out('green', '✓')} Whole and unchanged.`].join('\n'),
    )
    return 0
  }
  const baton = await session.baton()
  await assertOrganization(baton, options.organization)
  const result = await sendExport(baton, folder, verdict.manifest, verdict.runEvents)
  session.print(
    { imported: result === 'imported', already: result === 'already', ...summaryOf(verdict) },
    () =>
      result === 'imported'
        ? filesTable(verdict.manifest, session)
        : 'All of this is here already. Nothing was changed.',
  )
  if (result === 'imported') session.note(anewText(verdict.manifest))
  return 0
}

/** A token belongs to one organization; this says beforehand which one is meant. */
async function assertOrganization(
  baton: { organization: { get(): Promise<{ slug: string }> } },
  expected: string | undefined,
): Promise<void> {
  if (expected === undefined) return
  const { slug } = await baton.organization.get()
  if (slug === expected) return
  throw new BatonError(
    'conflict',
    `This token belongs to the organization "${slug}", not "${expected}". Use a token of an owner of "${expected}". Nothing was imported.`,
  )
}

const summaryOf = ({ ok, manifest, runEvents, partial, problems }: ExportVerdict) => ({
  ok,
  until: manifest.until,
  unfinished: manifest.unfinished,
  rows: Object.fromEntries(manifest.files.map((file) => [file.kind, file.lines])),
  runEvents,
  partialTranscripts: partial,
  makeAnew: manifest.makeAnew,
  problems,
})

const problemLine = ({ file, line, what }: ExportVerdict['problems'][number]) =>
  `${file}${line === null ? '' : `, line ${line}`}: ${printable(what)}`

function filesTable(manifest: ExportManifest, { out }: Session): string {
  return table(
    ['file', 'lines', 'bytes', 'sha-256'],
    manifest.files.map((file) => [
      file.file,
      String(file.lines),
      String(file.bytes),
      file.sha256.slice(0, 16),
    ]),
    out,
  )
}

function anewText({ makeAnew }: ExportManifest): string {
  const lines = [
    ...makeAnew.machineKeys.map((name) => `  baton machine rotate-key ${printable(name)}`),
    ...new Set(makeAnew.webhookSecrets.map(({ job }) => `  baton job rotate-secret ${printable(job)}`)),
    ...(makeAnew.githubApps ?? []).map(githubLine),
    ...(makeAnew.members.length > 1 ? [`  ${makeAnew.members.length} members and their tokens`] : []),
  ]
  return lines.length === 0 ? 'Nothing has to be made anew.' : `To be made anew:\n${lines.join('\n')}`
}

function githubLine({ appId, slug, webUrl }: { appId: number; slug: string; webUrl: string }): string {
  const where = webUrl === 'https://github.com' ? '' : ` --url ${printable(webUrl)}`
  return `  baton integration github setup --app-id ${appId}${where} (${printable(slug)}, with a new private key and webhook secret)`
}
