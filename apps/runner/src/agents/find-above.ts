import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The path of a name in a folder or in one above it, up to the root of its repository. Outside of repositories only the
 * folder itself counts: what lies above it, as a person's own settings in the home folder, came with no repository.
 */
export function findAbove(start: string, name: string): string | null {
  let found: string | null = null
  for (let folder = start; ; folder = dirname(folder)) {
    if (found === null && existsSync(join(folder, name))) found = join(folder, name)
    if (isRepository(folder)) return found
    if (dirname(folder) === folder) return existsSync(join(start, name)) ? join(start, name) : null
  }
}

/** An empty `.git` is none: sandboxes leave such folders behind. A worktree has a file of that name. */
function isRepository(folder: string): boolean {
  const git = join(folder, '.git')
  return existsSync(join(git, 'HEAD')) || statSync(git, { throwIfNoEntry: false })?.isFile() === true
}
