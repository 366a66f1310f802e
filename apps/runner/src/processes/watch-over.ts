import type { ControlReader } from './control-log.ts'
import type { ProcessTree } from './process-tree.ts'

const TICK_MS = 1_000
/** Looking through the process table may take one hundredth of the time. */
const OBSERVE_SHARE = 100

const ABANDONED = 'The run was ended: no runner came back for it. Start the runner with `baton up`.'

/**
 * The supervisor's slow pulse: reads the control log in case the watch missed something, keeps sight of the agent's
 * descendants, and calls `abandon` when no runner has touched the run for `abandonAfterMs`, or its folder is gone.
 * Only time awake counts: a tick that comes late, after a sleep or a jump of the clock, counts as one tick.
 */
export function watchOver(
  watched: { control: ControlReader; tree: ProcessTree; abandonAfterMs: number },
  abandon: (stopReason: string, message: string) => void,
): { stop(): void } {
  const { control, tree, abandonAfterMs } = watched
  let touchedAt = control.touchedAt()
  let untouchedMs = 0
  let observeIn = 0
  let lastTick = performance.now()

  function tick(): void {
    const now = performance.now()
    const passed = Math.min(now - lastTick, 2 * TICK_MS)
    lastTick = now
    control.look()
    const touched = control.touchedAt()
    untouchedMs = touched === touchedAt ? untouchedMs + passed : 0
    touchedAt = touched
    if (touched === null) abandon('folder_gone', 'The run was ended: its folder was removed.')
    else if (untouchedMs > abandonAfterMs) abandon('abandoned', ABANDONED)
    observeIn -= passed
    if (observeIn <= 0) {
      tree.observe()
      observeIn = (performance.now() - now) * OBSERVE_SHARE
    }
  }

  const timer = setInterval(tick, Math.min(TICK_MS, Math.max(10, abandonAfterMs / 4)))
  return { stop: () => clearInterval(timer) }
}
