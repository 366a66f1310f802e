import { BatonError, ERROR_ANSWERS, type ErrorCode } from '@baton/protocol'
import type { Style } from './style.ts'

/** What to do about an error, where its own message does not say it already. */
const HINTS: Record<ErrorCode, string | null> = {
  bad_input: 'Add --help to the command to see what it takes.',
  not_signed_in:
    'On one laptop: "baton dev" signs this computer in. Elsewhere: make a token on the dashboard or with "baton token create", and set BATON_TOKEN.',
  key_unknown: 'Make a key with "baton machine add" and give it to "baton up --server <url> --key-stdin".',
  key_revoked:
    'Make a new key with "baton machine rotate-key" and give it to "baton up --server <url> --key-stdin".',
  forbidden: 'Ask an owner of the organization.',
  not_found: null,
  conflict: null,
  session_conflict: 'Stop the other runner, or take over with "baton up --takeover".',
  runner_too_old: 'Update Baton on this machine.',
  too_large: null,
  rate_limited: 'Wait a moment and try again.',
  backlog_full: 'Start the runner of that machine, or cancel what waits: "baton runs list --status queued".',
  unavailable: '"baton doctor" looks at every part of the way.',
  timeout: '"baton doctor" looks at every part of the way.',
  internal: null,
}

/** Where what was not found can be looked up. */
function listHint(message: string): string | null {
  const [, what = ''] = /^There is no (\w+)[ ,]/.exec(message) ?? []
  const command = LISTS[what]
  return command ? `"${command}" shows what there is.` : null
}
const LISTS: Readonly<Record<string, string>> = {
  run: 'baton runs list',
  agent: 'baton agent list',
  job: 'baton job list',
  machine: 'baton machine list',
  event: 'baton event list',
  output: 'baton output list',
  dispatch: 'baton dispatch list',
  approval: 'baton approval list',
  token: 'baton token list',
}

/** Says an error on stderr, as one JSON object with --json, and returns the exit code of its kind. */
export function fail(error: unknown, { json, style }: { json: boolean; style: Style }): number {
  const known = error instanceof BatonError ? error : undefined
  const code = known?.code ?? 'internal'
  const requestId = (known as { requestId?: string | null } | undefined)?.requestId ?? null
  const message = error instanceof Error ? error.message : String(error)
  const hint = message.includes('"baton ') ? null : (HINTS[code] ?? listHint(message))
  const { exit, retryable } = ERROR_ANSWERS[code]
  if (json) {
    process.stderr.write(`${JSON.stringify({ error: { code, message, hint, requestId, retryable } })}\n`)
    return exit
  }
  process.stderr.write(`${style('red', 'error')} ${message}\n`)
  if (hint) process.stderr.write(`${style('dim', hint)}\n`)
  if (requestId && code === 'internal') process.stderr.write(`${style('dim', `request ${requestId}`)}\n`)
  if (!known && process.env.BATON_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return exit
}
