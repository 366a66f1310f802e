import { type Db, findHookTarget } from '@baton/db'
import { webhookConfig } from '@baton/protocol'
import type { TriggerTarget } from '../jobs/plan-event.ts'
import { parseTemplate } from '../jobs/render-prompt.ts'
import { openSecret } from '../secrets/seal.ts'

export type HookTarget = TriggerTarget & { openSecrets: string[] }

export type HookTargets = {
  /** What a webhook path leads to, at most a second old; null for an unknown path. */
  find(path: string): Promise<HookTarget | null>
  /** Forget what is remembered: something about jobs, agents or triggers changed. */
  forget(): void
}

const FRESH_MS = 1_000

/** Remembers webhook addresses that exist, so that a burst of webhooks does not read the same rows again and again. */
export function createHookTargets(db: Db, sealKey: Buffer): HookTargets {
  const targets = new Map<string, { at: number; target: Promise<HookTarget | null> }>()

  async function load(path: string): Promise<HookTarget | null> {
    const row = await findHookTarget(db, path)
    if (!row) return null
    return {
      ...row,
      openSecrets: row.secrets.map((sealed) => openSecret(sealKey, row.trigger_id, sealed)),
      template: parseTemplate(row.job_prompt),
      filters: webhookConfig.parse(row.config).filters,
    }
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
    },
  }
}
