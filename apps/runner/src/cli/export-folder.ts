import { createHash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BatonError, type ExportKind, type ExportManifest, exportManifest } from '@baton/protocol'

export const MANIFEST = 'manifest.json'
/** Where an export that was interrupted goes on; gone once it is whole. */
export const PROGRESS = 'export-progress.json'
export const fileOf = (kind: ExportKind) => `${kind}.ndjson`

/** Names what an export holds, whenever it was written. */
export const digestOf = (files: ExportManifest['files']) => sha256(JSON.stringify(files))

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const textOf = (manifest: object) => `${JSON.stringify(manifest, null, 2)}\n`

export async function writeManifest(folder: string, manifest: Omit<ExportManifest, 'sha256'>): Promise<void> {
  await replaceFile(join(folder, MANIFEST), textOf({ ...manifest, sha256: sha256(textOf(manifest)) }))
}

/** Throws when there is none, or when any byte of it is another than was written. */
export async function readManifest(folder: string): Promise<ExportManifest> {
  const path = join(folder, MANIFEST)
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new BatonError(
      'not_found',
      `There is no export in "${folder}": ${MANIFEST} cannot be read. An export that was interrupted goes on with the same "baton export".`,
      { cause },
    )
  })
  const parsed = exportManifest.safeParse(parseJson(text))
  if (parsed.success) {
    const { sha256: given, ...rest } = parsed.data
    if (text === textOf(parsed.data) && given === sha256(textOf(rest))) return parsed.data
  }
  throw new BatonError(
    'bad_input',
    `${path} was changed, or no Baton of this version wrote it. Nothing was imported.`,
  )
}

/** All of it or nothing, whatever happens meanwhile. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.part`, text, { mode: 0o600, flush: true })
  await rename(`${path}.part`, path)
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
