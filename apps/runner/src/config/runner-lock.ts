import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { link, readFile, rename, rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { BatonError } from '@baton/protocol'
import type { ProfilePaths } from './paths.ts'
import { readTextFile, writePrivateFile } from './private-file.ts'

type Holder = { pid: number; startTime: string }

export type RunnerLock = {
  /** A runner of this profile was here before and did not give its lock back: it was killed or the power went. */
  tookOver: boolean
  release(): Promise<void>
}

/**
 * Lets one runner per profile live on this machine. The lock names a process by id and start time, so one whose owner
 * was killed is taken over even when its process id was given to another program.
 *
 * Throws `conflict` and names the other process when it is alive.
 */
export async function lockRunner(paths: ProfilePaths): Promise<RunnerLock> {
  const { lockFile } = paths
  const self: Holder = { pid: process.pid, startTime: (await processStartTime(process.pid)) ?? 'unknown' }
  const text = JSON.stringify({ ...self, lock: randomUUID() })
  const draft = `${lockFile}.${randomUUID()}`
  await writePrivateFile(draft, text)
  try {
    const tookOver = await placeLock(lockFile, draft, paths.profile)
    return {
      tookOver,
      release: async () => {
        if ((await readTextFile(lockFile)) === text) await rm(lockFile, { force: true })
      },
    }
  } finally {
    await rm(draft, { force: true })
  }
}

/**
 * Puts the lock in place. To replace a stale lock a process must first hold the claim that is named after that lock's
 * exact text, so of any number of starters one replaces it, and only while it is still that text. A claim whose owner
 * died is succeeded in the same way.
 */
async function placeLock(lockFile: string, draft: string, profile: string): Promise<boolean> {
  for (;;) {
    if (await linkNew(draft, lockFile)) return false
    const found = await readTextFile(lockFile)
    if (found === null) continue
    const claims = await claimSuccession(lockFile, draft, found, profile)
    if (claims === null) continue
    const unchanged = (await readTextFile(lockFile)) === found
    if (unchanged) await rename(draft, lockFile)
    for (const claim of unchanged ? claims : claims.slice(-1)) await rm(claim, { force: true })
    if (unchanged) return true
  }
}

/** The claims from the stale lock to our own, ours last; null when another starter changed them meanwhile. */
async function claimSuccession(lockFile: string, draft: string, stale: string, profile: string) {
  const claims: string[] = []
  for (let text = stale; ; ) {
    const holder = parseHolder(text)
    if (holder && (await isAlive(holder))) throw alreadyRunning(profile, holder.pid)
    const claim = `${lockFile}.after-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
    claims.push(claim)
    if (await linkNew(draft, claim)) return claims
    const next = await readTextFile(claim)
    if (next === null) return null
    text = next
  }
}

function alreadyRunning(profile: string, pid: number): BatonError {
  return new BatonError(
    'conflict',
    `The runner of profile "${profile}" is running already, as process ${pid}. Stop it with "baton down", or use another profile.`,
  )
}

async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function parseHolder(text: string): Holder | null {
  try {
    const { pid, startTime } = JSON.parse(text) as Partial<Holder>
    return Number.isInteger(pid) && typeof startTime === 'string' ? { pid: pid as number, startTime } : null
  } catch {
    return null
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return (await processStartTime(holder.pid)) === holder.startTime
}

/** When a process started, in the words of the system: equal texts for one id mean the same process. */
async function processStartTime(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
    return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  }
  const answer = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => null)
  return answer?.stdout.trim() || null
}

/** The process id of the runner that holds this lock now, or null when none is alive. */
export async function findRunner(lockFile: string): Promise<number | null> {
  const holder = parseHolder((await readTextFile(lockFile)) ?? '')
  return holder && (await isAlive(holder)) ? holder.pid : null
}
