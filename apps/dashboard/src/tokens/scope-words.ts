import type { TokenScope } from '@baton/protocol'

/** What each scope allows, for people. */
export const SCOPE_WORDS: Record<TokenScope, string> = {
  read: 'See everything: jobs, runs, transcripts, events.',
  run: 'Start, stop and steer runs, and answer approvals.',
  write: 'Change jobs, agents, triggers and outputs.',
  admin: 'Keys of machines, secrets, tokens, integrations, export and import.',
}
