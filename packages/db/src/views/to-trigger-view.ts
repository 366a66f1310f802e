import {
  cronConfig,
  fileChangeConfig,
  githubTriggerConfig,
  gitPushConfig,
  intervalConfig,
  type TriggerId,
  type TriggerKind,
  type TriggerView,
  type WatchState,
  type WebhookScheme,
  webhookConfig,
} from '@baton/protocol'

/** A trigger as the job view's statement gives it. */
export type TriggerJson = {
  id: TriggerId
  kind: TriggerKind
  paused: boolean
  path: string | null
  scheme: WebhookScheme | null
  secrets: number
  config: Record<string, unknown>
  watch: (WatchState & { at: number }) | null
  nextFireAt: number | null
}

/** `publicUrl` completes webhook addresses. */
export function toTriggerView(trigger: TriggerJson, publicUrl: string): TriggerView {
  const { id, paused, config, nextFireAt } = trigger
  switch (trigger.kind) {
    case 'webhook': {
      const path = trigger.path ?? ''
      return {
        id,
        kind: 'webhook',
        paused,
        path,
        url: `${publicUrl}/hooks/${path}`,
        scheme: trigger.scheme ?? 'none',
        secrets: trigger.secrets,
        ...webhookConfig.parse(config),
      }
    }
    case 'cron':
      return { id, kind: 'cron', paused, nextFireAt, ...cronConfig.parse(config) }
    case 'interval':
      return { id, kind: 'interval', paused, nextFireAt, ...intervalConfig.parse(config) }
    case 'file_change':
      return { id, kind: 'file_change', paused, watch: trigger.watch, ...fileChangeConfig.parse(config) }
    case 'git_push':
      return { id, kind: 'git_push', paused, ...gitPushConfig.parse(config) }
    case 'github':
      return { id, kind: 'github', paused, ...githubTriggerConfig.parse(config) }
    default:
      return { id, kind: 'manual', paused }
  }
}
