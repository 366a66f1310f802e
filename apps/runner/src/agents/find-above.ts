import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The path of a name in a folder or in one above it, up to the root of its repository. */
export function findAbove(start: string, name: string): string | null {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return join(folder, name)
    if (existsSync(join(folder, '.git')) || dirname(folder) === folder) return null
  }
}
