import { createHash } from 'node:crypto'
import { type Db, listWatches } from '@baton/db'
import { fileChangeConfig, type MachineId, type WatchOrders } from '@baton/protocol'

/** What a runner is to watch, as far as it does not know it yet. `told`: the version that it said it has. */
export function createSessionWatches(db: Db, machineId: MachineId, told: string) {
  let known = told
  let mustLook = true
  let waiting: WatchOrders | null = null
  return {
    get mustLook() {
      return mustLook
    },
    get isWaiting() {
      return waiting !== null
    },
    lookAgain() {
      mustLook = true
    },
    /** Stops looking until it is told to again; says whether it would have looked. */
    pause(): boolean {
      const would = mustLook
      mustLook = false
      return would
    },
    async find() {
      if (!mustLook) return
      mustLook = false
      try {
        const rows = await listWatches(db, machineId)
        const watches = rows.map((row) => ({
          triggerId: row.trigger_id,
          jobId: row.job_id,
          ...fileChangeConfig.parse(row.config),
        }))
        const version =
          watches.length === 0 ? '' : createHash('sha256').update(JSON.stringify(watches)).digest('hex')
        if (version !== known) waiting = { version, watches }
      } catch (error) {
        mustLook = true
        throw error
      }
    },
    take(): WatchOrders | null {
      const taken = waiting
      waiting = null
      if (taken) known = taken.version
      return taken
    },
  }
}
