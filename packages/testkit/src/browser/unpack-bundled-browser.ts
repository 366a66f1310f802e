import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FoundBrowser } from './find-browser.ts'

const PACKAGE = '@sparticuz/chromium'

/**
 * Unpacks the headless Chromium that this npm package carries, once, into node_modules/.cache beside it, with the
 * libraries that a bare Debian lacks. Null where the package is not installed or not made for this computer.
 */
export function unpackBundledBrowser(): FoundBrowser | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null
  const root = findPackage()
  if (root === null) return null
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }
  const folder = path.join(root, '..', '..', '.cache', `chromium-${version}`)
  if (!existsSync(folder)) unpack(root, folder)
  const executablePath = path.join(folder, 'chromium')
  if (runs(executablePath)) return { executablePath, from: PACKAGE }
  const libraries = path.join(folder, 'al2023', 'lib')
  return { executablePath, env: { LD_LIBRARY_PATH: libraries }, from: `${PACKAGE} with its own libraries` }
}

/** It can only be imported, so `require.resolve` does not find it. */
function findPackage(): string | null {
  const folders = createRequire(import.meta.url).resolve.paths(PACKAGE) ?? []
  return (
    folders
      .map((folder) => path.join(folder, PACKAGE))
      .find((at) => existsSync(path.join(at, 'package.json'))) ?? null
  )
}

/**
 * The package unpacks into the folder for temporary files under a fixed name and takes whatever lies there: so it
 * gets a folder of its own, in its own process, which is then moved into place in one step.
 */
function unpack(root: string, folder: string): void {
  const making = `${folder}.${process.pid}`
  mkdirSync(making, { recursive: true })
  const main = pathToFileURL(path.join(root, 'build', 'index.js')).href
  const libraries = path.join(root, 'bin', 'al2023.tar.br')
  const script = `import chromium, { inflate } from ${JSON.stringify(main)}
    await chromium.executablePath()
    await inflate(${JSON.stringify(libraries)})`
  const unpacked = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, TMPDIR: making },
    encoding: 'utf8',
  })
  if (unpacked.status !== 0) {
    rmSync(making, { recursive: true, force: true })
    throw new Error(`Unpacking ${PACKAGE} failed: ${unpacked.stderr}`)
  }
  try {
    renameSync(making, folder)
  } catch (error) {
    rmSync(making, { recursive: true, force: true })
    // Another process was quicker.
    if (!existsSync(folder)) throw error
  }
}

function runs(executablePath: string): boolean {
  return spawnSync(executablePath, ['--version'], { stdio: 'ignore' }).status === 0
}
