import type { SendResult } from '../output-sender.ts'

type Answer = { result: 'retry' | 'failed' | 'unknown'; why: string; disables?: true }

/** What Slack's own words for an error mean for us. `disables`: no later message of this output can work either. */
const KNOWN: Record<string, Answer> = {
  invalid_auth: {
    result: 'failed',
    why: 'Slack does not know this token. Enter the bot token again.',
    disables: true,
  },
  not_authed: { result: 'failed', why: 'Slack got no token. Enter the bot token again.', disables: true },
  account_inactive: {
    result: 'failed',
    why: 'The Slack app or its user was removed. Install it again and enter the new token.',
    disables: true,
  },
  token_revoked: { result: 'failed', why: 'The Slack token was revoked. Enter a new one.', disables: true },
  token_expired: { result: 'failed', why: 'The Slack token has expired. Enter a new one.', disables: true },
  missing_scope: {
    result: 'failed',
    why: 'The Slack app lacks the scope chat:write. Add it, install the app again and send again.',
  },
  no_permission: { result: 'failed', why: 'The Slack app may not post there.' },
  channel_not_found: {
    result: 'failed',
    why: 'Slack knows no such channel, or the app is not in it. Invite the app there, or enter the id of the channel.',
  },
  not_in_channel: { result: 'failed', why: 'The Slack app is not in the channel. Invite it there.' },
  is_archived: { result: 'failed', why: 'The Slack channel is archived. Choose another.', disables: true },
  channel_is_archived: {
    result: 'failed',
    why: 'The Slack channel is archived. Choose another.',
    disables: true,
  },
  restricted_action: { result: 'failed', why: 'The workspace does not let apps post in this channel.' },
  msg_too_long: {
    result: 'failed',
    why: 'Slack finds the message too long. Shorten the template of the output.',
  },
  no_text: { result: 'failed', why: 'Slack got an empty message. Change the template of the output.' },
  invalid_payload: { result: 'failed', why: 'Slack could not read the message.' },
  no_service: {
    result: 'failed',
    why: 'The Slack webhook was removed. Make a new one and enter its address.',
    disables: true,
  },
  no_active_hooks: {
    result: 'failed',
    why: 'The Slack webhook is switched off. Make a new one and enter its address.',
    disables: true,
  },
  invalid_token: {
    result: 'failed',
    why: 'The Slack webhook is not valid any more. Make a new one and enter its address.',
    disables: true,
  },
  action_prohibited: { result: 'failed', why: 'An administrator of the workspace forbids posting there.' },
  posting_to_general_channel_denied: {
    result: 'failed',
    why: 'The workspace does not let webhooks post in its general channel.',
  },
  // Slack says of these that the message may have been posted.
  fatal_error: { result: 'unknown', why: 'Slack failed, and says that the message may have been posted.' },
  internal_error: { result: 'unknown', why: 'Slack failed, and says that the message may have been posted.' },
  request_timeout: { result: 'retry', why: 'Slack did not get the whole request.' },
  service_unavailable: { result: 'retry', why: 'Slack is not available right now.' },
  ratelimited: { result: 'retry', why: 'Slack asks to wait.' },
  rate_limited: { result: 'retry', why: 'Slack asks to wait.' },
}

/** What to do about an error of Slack. One that is not known is not repeated: it says what Slack said. */
export function readSlackError(error: string, afterMs: number | undefined): SendResult {
  const known = KNOWN[error] ?? {
    result: 'failed' as const,
    why: `Slack refused it: ${error.slice(0, 200)}.`,
  }
  if (known.result === 'failed') return known
  return known.result === 'retry'
    ? { result: 'retry', why: known.why, afterMs }
    : { result: 'unknown', why: known.why }
}
