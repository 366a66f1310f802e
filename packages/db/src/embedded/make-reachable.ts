import fs from 'node:fs'
import path from 'node:path'
import type { Confinement } from './choose-confinement.ts'

/** Used only when Postgres runs as another user who cannot enter the caller's folders. */
const shared = '/var/lib/baton'

/**
 * Binaries and data folder as the user who runs Postgres can reach them: the given ones, or, under a closed
 * folder such as /root, a copy of the binaries and a data folder below /var/lib/baton.
 */
export function makeReachable(
  confinement: Confinement,
  binaries: string,
  dir: string,
): { binaries: string; dir: string } {
  if (!confinement.account) return { binaries, dir }
  return {
    binaries: isOpen(binaries) ? binaries : copyOnce(binaries),
    dir: isOpen(path.dirname(dir)) ? dir : path.join(shared, 'postgres', dir.replaceAll(path.sep, '_')),
  }
}

function copyOnce(binaries: string): string {
  const version = JSON.parse(fs.readFileSync(path.join(binaries, '..', 'package.json'), 'utf8'))
    .version as string
  const copy = path.join(shared, `binaries-${version}`)
  if (fs.existsSync(copy)) return copy
  const draft = `${copy}.${process.pid}`
  fs.mkdirSync(shared, { recursive: true, mode: 0o755 })
  fs.cpSync(binaries, draft, { recursive: true, verbatimSymlinks: true })
  try {
    fs.renameSync(draft, copy)
  } catch (error) {
    fs.rmSync(draft, { recursive: true, force: true })
    if (!fs.existsSync(copy)) throw error
  }
  return copy
}

/** Whether everybody may pass through this folder and all above it; a folder still to be made will be open. */
function isOpen(folder: string): boolean {
  const present = fs.statSync(folder, { throwIfNoEntry: false })
  if (present && (present.mode & 0o001) === 0) return false
  const parent = path.dirname(folder)
  return parent === folder || isOpen(parent)
}
