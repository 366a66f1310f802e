import { type Db, type GithubAppRow, listGithubApps } from '@baton/db'
import type { Logger } from '@baton/service'
import { openSecret } from '../secrets/seal.ts'

export type KnownApp = GithubAppRow & { webhookSecret: string }

export type KnownApps = {
  /** Every App of every organization, at most a second old. */
  list(): Promise<KnownApp[]>
  find(id: string): Promise<KnownApp | null>
  forget(): void
}

const FRESH_MS = 1_000

export function createKnownApps(db: Db, sealKey: Buffer, log: Logger): KnownApps {
  let known: { at: number; apps: Promise<KnownApp[]> } | null = null

  async function load(): Promise<KnownApp[]> {
    const rows = await listGithubApps(db)
    return rows.flatMap(withSecret)
  }

  /** One App whose secret cannot be read any more keeps no other from working. */
  function withSecret(row: GithubAppRow): KnownApp[] {
    try {
      return [{ ...row, webhookSecret: openSecret(sealKey, row.id, row.sealed_webhook_secret) }]
    } catch (error) {
      log.error({ error, app: row.slug }, 'the secret of a GitHub App cannot be read; connect the App anew')
      return []
    }
  }

  function list(): Promise<KnownApp[]> {
    if (known && performance.now() - known.at < FRESH_MS) return known.apps
    const entry = { at: performance.now(), apps: load() }
    known = entry
    entry.apps.catch(() => {
      if (known === entry) known = null
    })
    return entry.apps
  }

  return {
    list,
    find: async (id) => (await list()).find((app) => app.id === id) ?? null,
    forget: () => {
      known = null
    },
  }
}
