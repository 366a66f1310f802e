import { type ApprovalSettings, BatonError } from '@baton/protocol'

export type ApprovalOptions = { approvals?: string; approvalExpires?: string; allow?: string[] }

/** For the commands that make or change an agent or a job. */
export const APPROVAL_OPTIONS: [string, string][] = [
  ['--approvals <mode>', 'what happens where permission is missing: deny, or ask a person'],
  ['--approval-expires <seconds>', 'denied when nobody answered within this time'],
  ['--allow <pattern...>', 'what needs no question, such as Bash "Bash(git *)"; "none" empties the list'],
]

/** Only what was given; undefined for nothing. */
export function readApprovals(options: ApprovalOptions): { approvals?: ApprovalSettings } {
  const { approvals: mode, approvalExpires, allow } = options
  if (mode !== undefined && mode !== 'ask' && mode !== 'deny')
    throw new BatonError('bad_input', `--approvals ${mode}: choose from deny, ask.`)
  const seconds = Number(approvalExpires)
  if (approvalExpires !== undefined && !(seconds >= 10 && seconds <= 604_800))
    throw new BatonError(
      'bad_input',
      `--approval-expires ${approvalExpires}: give 10 seconds to 7 days (604800).`,
    )
  const settings: ApprovalSettings = {
    ...(mode === undefined ? {} : { mode }),
    ...(approvalExpires === undefined ? {} : { expiresMs: Math.round(seconds * 1000) }),
    ...(allow === undefined ? {} : { allow: allow.filter((one) => one !== 'none') }),
  }
  return Object.keys(settings).length === 0 ? {} : { approvals: settings }
}
