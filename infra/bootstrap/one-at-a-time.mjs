import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from './paths.mjs'

// The lock cannot live in node_modules: `npm ci` deletes that folder.
const usualFolder = path.join(root, '.bootstrap-lock')

/**
 * Runs `work` while no other command of this checkout runs it. A lock whose owner has died, by any signal
 * or by a power cut, is taken over at once.
 */
export async function withOneAtATime(work, folder = usualFolder) {
  await take(folder)
  try {
    return await work()
  } finally {
    release(folder)
  }
}

async function take(folder) {
  let told = false
  while (!tryToTake(folder)) {
    const owner = readOwner(folder)
    if (owner === undefined) continue
    if (!isRunning(owner)) {
      removeStale(folder, owner)
      continue
    }
    if (!told)
      process.stderr.write(`waiting for another command of this checkout (pid ${owner.split(' ')[0]}) …\n`)
    told = true
    await sleep(100)
  }
}

function lockIn(folder) {
  return path.join(folder, 'owner')
}

/** A link to a file that is already written: nobody can see the lock without its owner. */
function tryToTake(folder) {
  const draft = path.join(folder, `draft-${process.pid}`)
  try {
    fs.mkdirSync(folder, { recursive: true })
    fs.writeFileSync(draft, `${process.pid} ${startOf(process.pid)}`)
    fs.linkSync(draft, lockIn(folder))
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
function release(folder) {
  fs.rmSync(lockIn(folder), { force: true })
  try {
    fs.rmdirSync(folder)
  } catch (error) {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT') throw error
  }
}

/** Moves the lock away before deleting it, so that of two commands which saw it stale only one removes it. */
function removeStale(folder, owner) {
  const away = path.join(folder, `stale-${process.pid}`)
  try {
    fs.renameSync(lockIn(folder), away)
    if (fs.readFileSync(away, 'utf8') !== owner) fs.linkSync(away, lockIn(folder))
    fs.rmSync(away, { force: true })
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error
  }
}

function readOwner(folder) {
  try {
    return fs.readFileSync(lockIn(folder), 'utf8')
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
