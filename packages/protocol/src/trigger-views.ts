import type { TriggerFilter } from './filters.ts'
import type { GithubTriggerConfig } from './github.ts'
import type { TriggerId } from './ids.ts'
import type {
  FileChangeConfig,
  GitPushConfig,
  Misfire,
  TriggerKind,
  WatchState,
  WebhookScheme,
} from './triggers.ts'

/** A paused trigger keeps what comes for it and fires nothing. */
type TriggerFacts<K extends TriggerKind> = { id: TriggerId; kind: K; paused: boolean }
type ScheduleFacts = {
  misfire: Misfire
  /** The next slot; null while it is paused, its job is off, or there is none. */
  nextFireAt: number | null
}
export type TriggerView =
  | TriggerFacts<'manual'>
  | (TriggerFacts<'webhook'> & {
      path: string
      /** Complete; the secret is shown only by the answer that made it. */
      url: string
      scheme: WebhookScheme
      filters: TriggerFilter[]
      acceptUnsigned: boolean
      /** How many secrets are valid now: two while one is replaced by another. */
      secrets: number
    })
  | (TriggerFacts<'cron'> & ScheduleFacts & { expression: string; zone: string })
  | (TriggerFacts<'interval'> & ScheduleFacts & { everyMs: number })
  | (TriggerFacts<'file_change'> & FileChangeConfig & { watch: (WatchState & { at: number }) | null })
  | (TriggerFacts<'git_push'> & GitPushConfig)
  | (TriggerFacts<'github'> & GithubTriggerConfig)
