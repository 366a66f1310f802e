import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { bin, memory, root } from './paths.mjs'

const stampFile = path.join(memory, 'built')
const inputs = ['apps/dashboard', 'apps/runner', 'packages', 'package-lock.json', 'turbo.json']
const builds = [
  { app: '@baton/dashboard', entry: 'apps/dashboard/index.html', output: 'apps/dashboard/dist' },
  { app: '@baton/runner', entry: 'apps/runner/build.ts', output: 'apps/runner/dist' },
]
const notInputs = new Set(['node_modules', 'dist', '.turbo', 'test'])

/**
 * True when nothing that a build reads has changed since the last one, judged by names, sizes and times.
 * This costs a few milliseconds where asking turbo costs over 200. A false alarm is harmless: turbo then
 * compares contents and takes the outputs from its cache.
 */
export function buildIsCurrent() {
  try {
    return fs.readFileSync(stampFile, 'utf8') === stampOf(scanInputs())
  } catch (error) {
    if (error.code === 'ENOENT') return false
    throw error
  }
}

/** Builds the dashboard and the `baton` command. Throws with the build's own output when one fails. */
export function buildApps() {
  const filters = builds.filter(({ entry }) => isThere(entry)).map(({ app }) => `--filter=${app}`)
  if (filters.length === 0) return
  const started = Date.now()
  const scanned = scanInputs()
  process.stderr.write('building … ')
  const turbo = spawnSync(
    path.join(bin, 'turbo'),
    ['run', 'build', '--no-color', '--output-logs=errors-only', ...filters],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      shell: process.platform === 'win32',
      env: {
        ...process.env,
        PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}`,
        NO_COLOR: '1',
        TURBO_TELEMETRY_DISABLED: '1',
        TURBO_NO_UPDATE_NOTIFIER: '1',
      },
    },
  )
  if (turbo.status !== 0) {
    const output = `${turbo.error?.message ?? ''}${turbo.stdout ?? ''}${turbo.stderr ?? ''}`.trim()
    throw new Error(`failed\n\n${output}\n\nThe build failed: see the reason above.`)
  }
  fs.mkdirSync(memory, { recursive: true })
  fs.writeFileSync(stampFile, stampOf(scanned))
  process.stderr.write(`${((Date.now() - started) / 1000).toFixed(1)} s\n`)
}

/** The scan is taken before a build, the outputs after it: an edit made meanwhile leads to another build. */
function stampOf(scanned) {
  return [scanned, ...builds.map(({ output }) => output).filter(isThere)].join('\n')
}

function isThere(at) {
  return fs.existsSync(path.join(root, at))
}

function scanInputs() {
  const hash = createHash('sha256')
  for (const input of inputs) scan(path.join(root, input), hash)
  return hash.digest('hex')
}

function scan(at, hash) {
  const stats = fs.statSync(at)
  if (!stats.isDirectory()) {
    if (!at.endsWith('.test.ts')) hash.update(`${at}\0${stats.size}\0${stats.mtimeMs}\n`)
    return
  }
  for (const name of fs.readdirSync(at).sort()) {
    if (!notInputs.has(name)) scan(path.join(at, name), hash)
  }
}
