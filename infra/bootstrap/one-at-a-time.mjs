import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from './paths.mjs'

// The lock cannot live in node_modules: `npm ci` deletes that folder.
const folder = path.join(root, '.bootstrap-lock')
const lock = path.join(folder, 'owner')

/**
 * Runs `work` while no other command of this checkout runs it. A lock whose owner has died, by any signal
 * or by a power cut, is taken over at once.
 */
export async function withOneAtATime(work) {
  await take()
  try {
    return work()
  } finally {
    release()
  }
}

async function take() {
  let told = false
  while (!tryToTake()) {
    const owner = readOwner()
    if (owner === undefined) continue
    if (!isRunning(owner)) {
      removeStale(owner)
      continue
    }
    if (!told)
      process.stderr.write(`waiting for another command of this checkout (pid ${owner.split(' ')[0]}) …\n`)
    told = true
    await sleep(100)
  }
}

/** A link to a file that is already written: nobody can see the lock without its owner. */
function tryToTake() {
  const draft = path.join(folder, `draft-${process.pid}`)
  try {
    fs.mkdirSync(folder, { recursive: true })
    fs.writeFileSync(draft, `${process.pid} ${startOf(process.pid)}`)
    fs.linkSync(draft, lock)
    return true
  } catch (error) {
    // ENOENT: the owner removed the folder between two of these steps.
    if (error.code === 'EEXIST' || error.code === 'ENOENT') return false
    throw error
  } finally {
    fs.rmSync(draft, { force: true })
  }
}

/** The folder goes too, unless another command is already in it. */
function release() {
  fs.rmSync(lock, { force: true })
  try {
    fs.rmdirSync(folder)
  } catch (error) {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT') throw error
  }
}

/** Moves the lock away before deleting it, so that of two commands which saw it stale only one removes it. */
function removeStale(owner) {
  const away = path.join(folder, `stale-${process.pid}`)
  try {
    fs.renameSync(lock, away)
    if (fs.readFileSync(away, 'utf8') !== owner) fs.linkSync(away, lock)
    fs.rmSync(away, { force: true })
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error
  }
}

function readOwner() {
  try {
    return fs.readFileSync(lock, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

/** The start time tells the owner from a stranger that was given the same pid later. */
function isRunning(owner) {
  const [pid, start] = owner.split(' ')
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    if (error.code === 'ESRCH') return false
  }
  return startOf(pid) === start
}

/** When the process was started, in ticks since boot; empty where there is no /proc. */
function startOf(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
