import { setTimeout as sleep } from 'node:timers/promises'
import type { KillProof } from '@baton/protocol'
import { execa } from 'execa'

/**
 * How processes of a run are ended that this machine's process table does not show, because they are in a container: the
 * program is called with the name of a signal as its last argument, sends it, and prints how many it found. `lastResort`
 * are the arguments that end the container, with everything in it, when nothing else does.
 */
export type EndInside = { file: string; args: string[]; env: Record<string, string>; lastResort: string[] }

const CALL_MS = 10_000
const KILL_FOR_MS = 5_000
const LOOK_EVERY_MS = 200

/** TERM, up to `graceMs`, then KILL until nobody is found. Null when nobody was there from the start. */
export async function endInside(inside: EndInside, graceMs: number): Promise<KillProof | null> {
  const startedAt = performance.now()
  const elapsed = () => Math.round(performance.now() - startedAt)
  const signals: KillProof['signals'] = []
  let left = await send(inside, graceMs > 0 ? 'TERM' : 'KILL')
  if (left === 0) return null
  const note = (signal: string) =>
    signals.push({ signal: `${signal} inside`, atMs: elapsed(), processes: left ?? 0 })
  note(graceMs > 0 ? 'SIGTERM' : 'SIGKILL')
  const termUntil = elapsed() + graceMs
  while (left !== 0 && elapsed() < termUntil) {
    await sleep(Math.min(LOOK_EVERY_MS, Math.max(1, termUntil - elapsed())))
    // Signal 0 asks who is there and does nothing.
    left = await send(inside, '0')
  }
  const killUntil = elapsed() + KILL_FOR_MS
  if (left !== 0 && graceMs > 0) note('SIGKILL')
  while (left !== 0 && elapsed() < killUntil) {
    left = await send(inside, 'KILL')
    if (left !== 0) await sleep(LOOK_EVERY_MS / 4)
  }
  if (left !== 0) {
    await call(inside, inside.lastResort)
    signals.push({ signal: 'container killed', atMs: elapsed(), processes: left ?? 0 })
    left = (await send(inside, '0')) ?? 0
  }
  return { signals, survivors: left, tookMs: elapsed() }
}

/** Null when it could not be asked: then somebody may be there. */
async function send(inside: EndInside, signal: string): Promise<number | null> {
  const answer = await call(inside, [...inside.args, signal])
  if (/is not running|no such container|container state improper/i.test(answer.stderr)) return 0
  const count = /^\d+$/.exec(answer.stdout.trim())?.[0]
  return answer.ok && count !== undefined ? Number(count) : null
}

async function call({ file, env }: EndInside, args: string[]) {
  const done = await execa(file, args, {
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: CALL_MS,
    forceKillAfterDelay: 500,
  })
  return { ok: done.exitCode === 0, stdout: done.stdout ?? '', stderr: done.stderr ?? '' }
}

/** Both as one: what was sent on this machine and what was sent inside. */
export function joinProofs(one: KillProof | null, other: KillProof | null): KillProof | null {
  if (one === null || other === null) return one ?? other
  return {
    signals: [...one.signals, ...other.signals].toSorted((a, b) => a.atMs - b.atMs),
    survivors: one.survivors + other.survivors,
    tookMs: one.tookMs + other.tookMs,
  }
}
