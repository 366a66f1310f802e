import type { ControlReader } from './control-log.ts'
import type { ProcessTree } from './process-tree.ts'

const TICK_MS = 1_000
const ABANDONED = 'The run was ended: no runner came back for it. Start the runner with `baton up`.'

/**
 * The supervisor's slow pulse: reads the control log in case the watch missed something, and calls `abandon` when no
 * runner has touched the run for `abandonAfterMs`, or its folder is gone. Only time awake counts: a tick that comes
 * late, after a sleep or a jump of the clock, counts as one tick.
 */
export function watchOver(
  watched: { control: ControlReader; abandonAfterMs: number },
  abandon: (stopReason: string, message: string) => void,
): { stop(): void } {
  const { control, abandonAfterMs } = watched
  const everyMs = Math.min(TICK_MS, Math.max(10, abandonAfterMs / 4))
  let touchedAt = control.touchedAt()
  let untouchedMs = 0
  let lastTick = performance.now()

  function tick(): void {
    const now = performance.now()
    const passed = Math.min(now - lastTick, 2 * everyMs)
    lastTick = now
    control.look()
    const touched = control.touchedAt()
    untouchedMs = touched === touchedAt ? untouchedMs + passed : 0
    touchedAt = touched
    if (touched === null) abandon('folder_gone', 'The run was ended: its folder was removed.')
    else if (untouchedMs > abandonAfterMs) abandon('abandoned', ABANDONED)
  }

  const timer = setInterval(tick, everyMs)
  return { stop: () => clearInterval(timer) }
}

const FIRST_OBSERVATION_MS = 20
const SLOWEST_OBSERVATION_MS = 2_000
/** Looking through the process table may take a twentieth of the time at first, and far less later. */
const OBSERVATION_SHARE = 20

/**
 * Keeps sight of the agent's descendants, so that one that later loses its parent, its session and its environment is
 * still known: often at first, then every two seconds. A control group sees everybody anyway; then nothing is done.
 */
export function observeTree(tree: ProcessTree): { stop(): void } {
  let everyMs = FIRST_OBSERVATION_MS
  function observe(): NodeJS.Timeout {
    const before = performance.now()
    tree.observe()
    const tookMs = performance.now() - before
    everyMs = Math.max(Math.min(2 * everyMs, SLOWEST_OBSERVATION_MS), tookMs * OBSERVATION_SHARE)
    return setTimeout(next, everyMs)
  }
  const next = () => {
    timer = observe()
  }
  let timer = tree.cgroup ? null : setTimeout(next, everyMs)
  return {
    stop() {
      if (timer) clearTimeout(timer)
    },
  }
}
