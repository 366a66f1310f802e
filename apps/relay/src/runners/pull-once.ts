import type { RunnerPush } from '@baton/protocol'
import type { Session } from './session.ts'

const NOTHING: RunnerPush = {
  deliveries: [],
  cancels: [],
  controls: [],
  undos: [],
  orders: [],
  watches: null,
}

/** The first push of a session, or nothing after `waitMs`. */
export async function pullOnce(
  session: Session,
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<RunnerPush> {
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(), Math.max(waitMs, 1))
  const ended = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal
  try {
    for await (const { push } of session.pushes(ended)) return push
    return NOTHING
  } finally {
    clearTimeout(timer)
  }
}
