import type { ApprovalSettings, approvalSettings } from '@baton/protocol'
import type { z } from 'zod'

/** The settings that were given, without those that were left open. */
export function settingsOf(given: z.output<typeof approvalSettings> | undefined): ApprovalSettings {
  const entries = Object.entries(given ?? {}).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as ApprovalSettings
}
