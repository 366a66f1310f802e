import { createHash } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SkillRef, SkillsAnswer } from '@baton/protocol'
import { z } from 'zod'
import { makePrivateFolder, readTextFile, writePrivateFile } from '../../config/private-file.ts'

/** Lies beside a SKILL.md that Baton put there. Without it a folder is somebody else's and is never touched. */
const MARKER = '.baton-skill.json'
/** `hashes`: of the text that is being written, and of the one that it replaces. */
const marker = z.object({ by: z.literal('baton'), hashes: z.array(z.string()) })

/** What came of it: names, each with why where it was left alone. */
export type SyncedSkills = { written: string[]; removed: string[]; kept: string[] }

/**
 * Makes the folder hold the agent's skills, asking for their texts only when one is new or another. A skill that a person
 * put there, or changed, wins over one of the same name and stays.
 */
export async function syncSkills(
  folder: string,
  wanted: readonly SkillRef[],
  fetch: () => Promise<NonNullable<SkillsAnswer['skills']>>,
): Promise<SyncedSkills> {
  const synced: SyncedSkills = { written: [], removed: [], kept: [] }
  const here = await readFolders(folder)
  for (const [name, found] of here) {
    if (found.isOurs && !wanted.some((skill) => skill.name === name)) {
      await rm(join(folder, name), { recursive: true, force: true })
      synced.removed.push(name)
    }
  }
  const stale = wanted.filter(({ name, hash }) => here.get(name)?.hash !== hash)
  const writable = stale.filter(({ name }) => here.get(name)?.isOurs ?? true)
  synced.kept = stale.filter((skill) => !writable.includes(skill)).map(({ name }) => name)
  if (writable.length === 0) return synced
  const texts = new Map((await fetch()).map((skill) => [skill.name, skill.text]))
  for (const { name } of writable) {
    const text = texts.get(name)
    if (text === undefined) continue
    await makePrivateFolder(join(folder, name))
    // The marker first: a crash between the two leaves a folder that is ours and not the wanted one.
    const hashes = [hashOf(text), here.get(name)?.hash ?? []].flat()
    await writePrivateFile(join(folder, name, MARKER), JSON.stringify({ by: 'baton', hashes }))
    await writePrivateFile(join(folder, name, 'SKILL.md'), text)
    synced.written.push(name)
  }
  return synced
}

type Found = { isOurs: boolean; hash: string | null }

async function readFolders(folder: string): Promise<Map<string, Found>> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const found = entries.map(async ({ name }) => [name, await readFolder(join(folder, name))] as const)
  return new Map(await Promise.all(found))
}

/** Ours only while the text is one that Baton wrote: the newest, or the one before when it was stopped in between. */
async function readFolder(folder: string): Promise<Found> {
  const said = await readTextFile(join(folder, MARKER)).catch(() => null)
  const text = await readTextFile(join(folder, 'SKILL.md')).catch(() => null)
  const known = marker.safeParse(said === null ? null : parseJson(said))
  if (!known.success) return { isOurs: false, hash: null }
  const hash = text === null ? null : hashOf(text)
  return { isOurs: hash === null || known.data.hashes.includes(hash), hash }
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
