import { setTimeout as sleep } from 'node:timers/promises'
import type { KillProof } from '@baton/protocol'
import { isAlive, type ProcessEntry } from './process-table.ts'
import type { ProcessTree } from './process-tree.ts'

const KILL_FOR_MS = 5_000
const FIRST_LOOK_MS = 5
const SLOWEST_LOOK_MS = 200

/**
 * Ends every process of a run: TERM, up to `graceMs` for them to go, then KILL again and again until none is left or
 * five seconds are over. Answers what was sent when (ms since the call) and who survived; null when nobody was there.
 * A process is only signalled after its start time was compared, so a reused pid is never hit.
 */
export async function endTree(tree: ProcessTree, graceMs: number): Promise<KillProof | null> {
  const startedAt = performance.now()
  const elapsed = () => Math.round(performance.now() - startedAt)
  const signals: KillProof['signals'] = []
  let left = tree.members()
  if (left.length === 0) return null

  if (graceMs > 0) {
    signals.push({ signal: 'SIGTERM', atMs: elapsed(), processes: left.length })
    signal(tree, left, 'SIGTERM')
    left = await waitUntilGone(tree, left, graceMs)
  }
  const killUntil = elapsed() + KILL_FOR_MS
  while (left.length > 0 && elapsed() < killUntil) {
    if (signals.at(-1)?.signal !== 'SIGKILL') {
      signals.push({ signal: 'SIGKILL', atMs: elapsed(), processes: left.length })
    }
    tree.cgroup?.kill()
    signal(tree, left, 'SIGKILL')
    left = await waitUntilGone(tree, left, SLOWEST_LOOK_MS)
  }
  return { signals, survivors: left.length, tookMs: elapsed() }
}

/** Waits cheaply for those known, then looks through the whole machine for more; answers who is left. */
async function waitUntilGone(
  tree: ProcessTree,
  known: ProcessEntry[],
  forMs: number,
): Promise<ProcessEntry[]> {
  const until = performance.now() + forMs
  let pause = FIRST_LOOK_MS
  for (;;) {
    if (!known.some(isAlive)) {
      const others = tree.members()
      if (others.length === 0 || performance.now() >= until) return others
      known = others
    }
    const rest = until - performance.now()
    if (rest <= 0) return tree.members()
    await sleep(Math.min(pause, rest))
    pause = Math.min(pause * 2, SLOWEST_LOOK_MS)
  }
}

function signal(tree: ProcessTree, members: ProcessEntry[], name: NodeJS.Signals): void {
  if (tree.group !== null && members.some((one) => one.group === tree.group)) send(-tree.group, name)
  for (const one of members) {
    if (!isAlive(one)) continue
    if (one.group !== tree.group) send(one.pid, name)
    // A stopped process only sees TERM once it goes on.
    if (name === 'SIGTERM') send(one.pid, 'SIGCONT')
  }
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // ESRCH: it went meanwhile. EPERM: another user's; it is counted as a survivor.
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}
