import { countPending, type Db, findHookTarget } from '@baton/db'
import { BACKLOG_PER_MACHINE, type MachineId, webhookConfig } from '@baton/protocol'
import type { TriggerTarget } from '../jobs/plan-event.ts'
import { parseTemplate } from '../jobs/render-prompt.ts'
import { openSecret } from '../secrets/seal.ts'

export type HookTarget = TriggerTarget & { openSecrets: string[]; backlogFull: boolean }

export type HookTargets = {
  /** What a webhook path leads to, at most a second old; null for an unknown path. */
  find(path: string): Promise<HookTarget | null>
  /** Forget what is remembered: something about jobs, agents or triggers changed. */
  forget(): void
}

const FRESH_MS = 1_000
const BACKLOG_FRESH_MS = 5_000

/** Remembers webhook addresses that exist, so that a burst of webhooks does not read the same rows again and again. */
export function createHookTargets(db: Db, sealKey: Buffer): HookTargets {
  const targets = new Map<string, { at: number; target: Promise<HookTarget | null> }>()
  const backlogs = new Map<MachineId, { at: number; full: Promise<boolean> }>()

  async function load(path: string): Promise<HookTarget | null> {
    const row = await findHookTarget(db, path)
    if (!row) return null
    return {
      ...row,
      openSecrets: row.secrets.map((sealed) => openSecret(sealKey, row.trigger_id, sealed)),
      template: parseTemplate(row.job_prompt),
      filters: webhookConfig.parse(row.config).filters,
      backlogFull: await isBacklogFull(row.machine_id),
    }
  }

  function isBacklogFull(machineId: MachineId): Promise<boolean> {
    const known = backlogs.get(machineId)
    if (known && performance.now() - known.at < BACKLOG_FRESH_MS) return known.full
    const full = countPending(db, machineId, BACKLOG_PER_MACHINE).then(
      (count) => count >= BACKLOG_PER_MACHINE,
    )
    full.catch(() => backlogs.delete(machineId))
    backlogs.set(machineId, { at: performance.now(), full })
    return full
  }

  return {
    async find(path) {
      const known = targets.get(path)
      if (known && performance.now() - known.at < FRESH_MS) return known.target
      const entry = { at: performance.now(), target: load(path) }
      targets.set(path, entry)
      const drop = () => targets.get(path) === entry && targets.delete(path)
      return entry.target.then(
        (target) => {
          if (!target) drop()
          return target
        },
        (error) => {
          drop()
          throw error
        },
      )
    },
    forget() {
      targets.clear()
      backlogs.clear()
    },
  }
}
