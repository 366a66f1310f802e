import { copyFile, cp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Prepared, PrepareInput } from '../agents/runtime.ts'
import { makePrivateFolder } from '../config/private-file.ts'

const TEXT_BYTES = 1024 * 1024

/**
 * Moves what a driver prepared for a run into the folder that the container sees, in one step, and names it by its place
 * there. It is not written there bit by bit: another run of the same agent could put links in the way, which the runner
 * would follow.
 */
export async function handOver(prepared: Prepared, input: PrepareInput, to: string): Promise<Prepared> {
  const draft = join(to, '..', '..', '..', '.drafts', input.delivery.runId)
  await rm(draft, { recursive: true, force: true })
  await makePrivateFolder(draft)
  await cp(input.tmpDir, join(draft, 'tmp'), { recursive: true, mode: 0 })
  await copyFile(input.eventFile, join(draft, 'event'))
  const moved = (text: string) =>
    text.replaceAll(input.tmpDir, join(to, 'tmp')).replaceAll(input.eventFile, join(to, 'event'))
  await renameInside(join(draft, 'tmp'), moved)
  await makePrivateFolder(dirname(to))
  await rm(to, { recursive: true, force: true })
  await rename(draft, to)
  const { command } = prepared
  const env = Object.fromEntries(Object.entries(command.env).map(([name, value]) => [name, moved(value)]))
  return {
    ...prepared,
    command: { ...command, args: command.args.map(moved), env },
    shown: prepared.shown.map(moved),
  }
}

/** Settings that a driver wrote may name files beside them. */
async function renameInside(folder: string, moved: (text: string) => string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const file = join(entry.parentPath, entry.name)
    if (!entry.isFile() || (await stat(file)).size > TEXT_BYTES) continue
    const text = await readFile(file, 'utf8')
    const changed = moved(text)
    if (changed !== text) await writeFile(file, changed)
  }
}
