import { countPending, type Db } from '@baton/db'
import { BACKLOG_PER_MACHINE, BatonError, type MachineId } from '@baton/protocol'

/** Whether machines have as much waiting as they may have: the one place that decides it, whatever an event comes from. */
export type Backlog = {
  /** As it was at most five seconds ago. Answers at once where that is known. */
  isFull(machineId: MachineId): boolean | Promise<boolean>
  /** Throws `backlog_full` when it is. */
  assertRoom(machineId: MachineId): Promise<void>
  /** The next question is answered by the database. */
  forget(): void
}

const FRESH_MS = 5_000

const FULL = `${BACKLOG_PER_MACHINE.toLocaleString('en')} deliveries wait for its machine, which is the most`

export function createBacklog(db: Db): Backlog {
  const known = new Map<MachineId, { at: number; full: boolean | Promise<boolean> }>()

  function isFull(machineId: MachineId) {
    const entry = known.get(machineId)
    if (entry && performance.now() - entry.at < FRESH_MS) return entry.full
    const next: { at: number; full: boolean | Promise<boolean> } = { at: performance.now(), full: false }
    known.set(machineId, next)
    next.full = countPending(db, machineId, BACKLOG_PER_MACHINE).then(
      (count) => {
        next.full = count >= BACKLOG_PER_MACHINE
        return next.full
      },
      (error) => {
        if (known.get(machineId) === next) known.delete(machineId)
        throw error
      },
    )
    return next.full
  }

  return {
    isFull,
    async assertRoom(machineId) {
      if (await isFull(machineId)) throw backlogFull()
    },
    forget: () => known.clear(),
  }
}

const backlogFull = () =>
  new BatonError(
    'backlog_full',
    `Nothing was stored: ${FULL}. Start its runner, cancel what is not needed, or try again later.`,
  )

export const isBacklogFull = (error: unknown): error is BatonError =>
  error instanceof BatonError && error.code === 'backlog_full'

/** What an event says that is kept and starts nothing for it, or that waits for it. */
export const BACKLOG_REASON = `${FULL}. Start its runner, or cancel what is not needed.`
