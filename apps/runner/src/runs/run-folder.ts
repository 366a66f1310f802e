import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { PushedDelivery } from '@baton/protocol'
import { makePrivateFolder, writePrivateFile } from '../config/private-file.ts'

const REPORTS_KEPT = 20

export const runFolderFiles = (folder: string) => ({
  delivery: join(folder, 'delivery.json'),
  event: join(folder, 'event'),
  tmp: join(folder, 'tmp'),
  report: join(folder, 'last-spawn.json'),
})

/** Makes the folder of a run with what its agent is given: the event's body and a place for temporary files. */
export async function makeRunFolder(folder: string, delivery: PushedDelivery): Promise<void> {
  const files = runFolderFiles(folder)
  await makePrivateFolder(folder)
  await mkdir(files.tmp, { recursive: true, mode: 0o700 })
  await Promise.all([
    writePrivateFile(files.event, delivery.event.body ?? ''),
    writePrivateFile(files.delivery, JSON.stringify(delivery)),
  ])
}

/** Deletes all of a run but the report of how its agent was started and ended. */
export async function emptyRunFolder(folder: string): Promise<void> {
  const { report } = runFolderFiles(folder)
  const names = await readdir(folder).catch(() => [])
  const others = names.filter((name) => join(folder, name) !== report)
  await Promise.all(others.map((name) => rm(join(folder, name), { recursive: true, force: true })))
  if (others.length === names.length) await rm(folder, { recursive: true, force: true })
}

/** Deletes the reports of finished runs but the newest ones. `held` are runs whose folders must stay. */
export async function pruneReports(runsFolder: string, held: ReadonlySet<string>): Promise<void> {
  const names = (await readdir(runsFolder).catch(() => [])).filter((name) => !held.has(name))
  if (names.length <= REPORTS_KEPT) return
  const dated = await Promise.all(
    names.map(async (name) => ({
      name,
      at: (await stat(join(runsFolder, name)).catch(() => null))?.mtimeMs ?? 0,
    })),
  )
  const old = dated.toSorted((a, b) => b.at - a.at).slice(REPORTS_KEPT)
  await Promise.all(old.map(({ name }) => rm(join(runsFolder, name), { recursive: true, force: true })))
}
