import { type Db, listQueuedControls } from '@baton/db'
import type { MachineId, RunControl } from '@baton/protocol'

/**
 * What people told the runs of one machine and its session has not pushed yet. Each control is pushed once by a session;
 * one whose push got lost comes again with the answers to renews, until the runner acknowledges it.
 */
export function createSessionControls(db: Db, machineId: MachineId) {
  const waiting: RunControl[] = []
  /** Of those that are queued still. */
  let pushed = new Set<string>()
  /** Something was said, perhaps before this session was opened. */
  let look = true
  return {
    lookAgain() {
      look = true
    },
    /** Reads what is new. What cannot be read now is looked for again. */
    async find() {
      if (!look) return
      look = false
      try {
        const queued = await listQueuedControls(db, machineId)
        waiting.push(...queued.filter(({ id }) => !pushed.has(id)))
        pushed = new Set(queued.map(({ id }) => id))
      } catch (error) {
        look = true
        throw error
      }
    },
    /** Waits for the next `lookAgain`. Answers whether there was something to look for. */
    pause() {
      const was = look
      look = false
      return was
    },
    get mustLook() {
      return look
    },
    get count() {
      return waiting.length
    },
    take: () => waiting.splice(0),
  }
}
export type SessionControls = ReturnType<typeof createSessionControls>
