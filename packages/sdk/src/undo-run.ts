import { setTimeout as sleep } from 'node:timers/promises'
import type { UndoKind, UndoView } from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'

export type UndoOptions = {
  kind?: UndoKind
  /** Says what would be done and does nothing. */
  dryRun?: boolean
  waitMs?: number
}

/** Orders it, then asks until its machine has answered. */
export async function undoRun(
  raw: Raw,
  call: Call,
  id: string,
  { waitMs = 30_000, ...order }: UndoOptions = {},
): Promise<UndoView> {
  let undo = await call(raw.runs.undo.mutate({ id, ...order }))
  const until = performance.now() + waitMs
  for (let pauseMs = 30; undo.state === 'asked' && performance.now() < until; pauseMs *= 1.5) {
    await sleep(Math.min(pauseMs, 1_000))
    undo = await call(raw.runs.getUndo.query({ undoId: undo.id }))
  }
  return undo
}
