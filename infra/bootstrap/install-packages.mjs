import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { bin, memory, root } from './paths.mjs'

const stampFile = path.join(memory, 'installed')
const needed = 24
const pinnedPlatforms = ['linux-x64', 'linux-arm64']
const platform = `${process.platform}-${process.arch}`

/** True when `node_modules` was installed from the present lockfile on this kind of machine. */
export function installIsCurrent() {
  try {
    return fs.readFileSync(stampFile, 'utf8') === stampOfLockfile()
  } catch (error) {
    if (error.code === 'ENOENT') return false
    throw error
  }
}

/** Why this machine cannot get the Node that is needed, or undefined. Asked before anything is downloaded. */
export function explainMissingNode() {
  if (pinnedPlatforms.includes(platform) || systemNode() >= needed) return undefined
  return (
    `Baton needs Node ${needed} or newer and found ${process.version}. On ${platform} it cannot bring its own: ` +
    `install Node ${needed} from https://nodejs.org and run the command again.`
  )
}

/**
 * Installs exactly what the lockfile names, without running any package's scripts. A registry that lacks a
 * platform package which the lockfile names makes `npm ci` refuse; then `npm install` is tried, which leaves
 * that package out and does not touch the lockfile.
 */
export function installPackages() {
  const started = Date.now()
  process.stderr.write('installing packages … ')
  const first = runNpm(['ci'])
  const last = first.status === 0 ? first : runNpm(['install', '--no-save'])
  if (last.status !== 0) throw new Error(describeFailure(first, last))
  assertPinnedNodeRuns()
  fs.mkdirSync(memory, { recursive: true })
  fs.writeFileSync(stampFile, stampOfLockfile())
  process.stderr.write(`${((Date.now() - started) / 1000).toFixed(1)} s\n`)
}

function stampOfLockfile() {
  const lockfile = fs.readFileSync(path.join(root, 'package-lock.json'))
  return createHash('sha256').update(lockfile).update(platform).digest('hex')
}

function systemNode() {
  return Number(process.versions.node.split('.')[0])
}

/** The npm that runs this script, so that no second one is needed on the PATH. */
function runNpm(args) {
  const all = [
    ...args,
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }
  const npm = process.env.npm_execpath
  if (npm) return spawnSync(process.execPath, [npm, ...all], options)
  return spawnSync('npm', all, { ...options, shell: process.platform === 'win32' })
}

function describeFailure(ci, install) {
  const output = (run) => `${run.error?.message ?? ''}${run.stdout ?? ''}${run.stderr ?? ''}`.trim()
  return (
    `failed\n\nnpm ci:\n${output(ci)}\n\nnpm install --no-save:\n${output(install)}\n\n` +
    'The packages could not be installed: see the reason above. Most often the package registry cannot be ' +
    'reached from this machine (network, proxy) or the disk is full. Then run the command again.'
  )
}

/** The pinned binaries are built for glibc: on Alpine and the like they are installed but do not run. */
function assertPinnedNodeRuns() {
  const pinned = path.join(bin, 'node')
  if (fs.existsSync(pinned)) {
    if (spawnSync(pinned, ['--version']).status === 0) return
    throw new Error(
      'failed\nThe Node that comes with the packages does not run on this system (it needs glibc 2.28 or newer; ' +
        'Alpine is not supported). Use a glibc-based Linux such as Debian, Ubuntu or Fedora.',
    )
  }
  if (systemNode() < needed) {
    throw new Error(
      `failed\nThe package registry did not deliver Node ${needed} for ${platform} and the Node here is ` +
        `${process.version}: install Node ${needed} from https://nodejs.org and run the command again.`,
    )
  }
}
