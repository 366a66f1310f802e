import { type Db, findHookTarget, listHookTargets, type TriggerTargetRow } from '@baton/db'
import { webhookConfig } from '@baton/protocol'
import { type Clock, createPollLoop, type Service, systemClock } from '@baton/service'
import type { TriggerTarget } from '../jobs/plan-event.ts'
import { parseTemplate } from '../jobs/render-prompt.ts'
import { openSecret } from '../secrets/seal.ts'

export type HookTarget = TriggerTarget & { openSecrets: string[] }

export type HookTargets = Service & {
  /** What a webhook path leads to, at most a second old; null for an unknown path. */
  find(path: string): Promise<HookTarget | null>
  /** Forget what is remembered: something about jobs, agents or triggers changed. */
  forget(): void
}

const FRESH_MS = 1_000
const READ_EVERY_MS = 600
/** A webhook that comes now and then does not wait for a question, which is a quarter of its way to the runner. */
const USED_WITHIN_MS = 600_000
/** All others are read when somebody asks for them. */
const MAX_READ = 256

type Entry = { at: number; usedAt: number; row: string | null; target: Promise<HookTarget | null> }

/**
 * Remembers webhook addresses that exist, so that a burst of webhooks does not read the same rows again and again. Those
 * that were used lately are read again in time, all by one statement.
 */
export function createHookTargets(
  db: Db,
  sealKey: Buffer,
  { clock = systemClock, onError }: { clock?: Clock; onError: (error: unknown) => void },
): HookTargets {
  const entries = new Map<string, Entry>()
  const reader = createPollLoop({ everyMs: READ_EVERY_MS, run: readAgain, onError, clock })

  function toTarget(row: TriggerTargetRow): HookTarget {
    return {
      ...row,
      openSecrets: row.secrets.map((sealed) => openSecret(sealKey, row.trigger_id, sealed)),
      template: parseTemplate(row.job_prompt),
      filters: webhookConfig.parse(row.config).filters,
    }
  }

  async function readAgain() {
    const at = clock.monotonic()
    for (const [path, { usedAt }] of entries) if (at - usedAt > USED_WITHIN_MS) entries.delete(path)
    const used = [...entries].toSorted(([, a], [, b]) => b.usedAt - a.usedAt).slice(0, MAX_READ)
    if (used.length === 0) return
    const rows = await listHookTargets(
      db,
      used.map(([path]) => path),
    )
    const found = new Map(rows.map((row) => [row.path, row]))
    for (const [path, entry] of used) {
      // Forgotten meanwhile, or asked anew: what was read may be older than the reason for that.
      if (entries.get(path) !== entry) continue
      const row = found.get(path)
      if (row) refresh(entry, row, at)
      else entries.delete(path)
    }
  }

  function refresh(entry: Entry, row: TriggerTargetRow, at: number) {
    const text = JSON.stringify(row)
    if (text !== entry.row) entry.target = Promise.resolve(toTarget(row))
    entry.row = text
    entry.at = at
  }

  async function read(path: string, entry: Entry): Promise<HookTarget | null> {
    const drop = () => entries.get(path) === entry && entries.delete(path)
    try {
      const row = await findHookTarget(db, path)
      if (!row) drop()
      entry.row = row && JSON.stringify(row)
      return row && toTarget(row)
    } catch (error) {
      drop()
      throw error
    }
  }

  return {
    async find(path) {
      const now = clock.monotonic()
      const known = entries.get(path)
      if (known && now - known.at < FRESH_MS) {
        known.usedAt = now
        return known.target
      }
      const entry: Entry = { at: now, usedAt: now, row: null, target: Promise.resolve(null) }
      entries.set(path, entry)
      entry.target = read(path, entry)
      return entry.target
    },
    forget: () => entries.clear(),
    start: () => reader.start(),
    stop: () => reader.stop(),
  }
}
