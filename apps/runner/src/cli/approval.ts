import { type ApprovalScope, type ApprovalView, BatonError, QUESTION_TOOL } from '@baton/protocol'
import { printable } from './printable.ts'
import type { Session } from './session.ts'
import type { Style } from './style.ts'
import { ago, clip, duration, shortId, table } from './text.ts'

type ListOptions = { all?: boolean; run?: string; limit: string }
type AllowOptions = { session?: boolean; job?: boolean; pattern?: string; message?: string }

export async function listApprovals(session: Session, _args: string[], options: ListOptions): Promise<void> {
  const limit = Number(options.limit)
  if (!Number.isInteger(limit) || limit < 1)
    throw new BatonError('bad_input', `--limit ${options.limit}: give a number, 1 or more.`)
  const baton = await session.baton()
  const runId = options.run ? (await baton.runs.get(options.run)).id : undefined
  const filter = {
    ...(options.all || runId ? {} : { state: 'open' as const }),
    ...(runId ? { runId } : {}),
    pageSize: Math.min(limit, 200),
  }
  const items: ApprovalView[] = []
  for await (const one of baton.approvals.list(filter)) {
    items.push(one)
    if (items.length === limit) break
  }
  session.print({ items }, () =>
    table(
      ['approval', 'state', 'agent', 'asked', 'for'],
      items.map((one) => [
        shortId(one.id),
        stateText(one, session.out),
        printable(one.agent.key),
        ago(one.askedAt),
        clip(printable(`${one.tool}: ${one.summary}`), 70),
      ]),
      session.out,
    ),
  )
  if (items.length > 0) return
  session.note(options.all || runId ? 'Nothing was asked.' : 'No agent waits for an answer.')
}

export async function showApproval(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const approval = await baton.approvals.get(id)
  session.print(approval, () => approvalText(approval, session.out))
}

export async function allowApproval(
  session: Session,
  [id = '']: string[],
  options: AllowOptions,
): Promise<void> {
  const baton = await session.baton()
  const { id: approvalId } = await baton.approvals.get(id)
  const allowed = await baton.approvals.allow(approvalId, {
    scope: scopeOf(options),
    ...(options.pattern ? { pattern: options.pattern } : {}),
    ...(options.message ? { message: options.message } : {}),
  })
  session.print(allowed, () =>
    allowed.tool === QUESTION_TOOL
      ? `${shortId(allowed.id)} is answered.`
      : `${shortId(allowed.id)} is allowed${scopeText(allowed)}.`,
  )
}

export async function denyApproval(
  session: Session,
  [id = '']: string[],
  { message }: { message?: string },
): Promise<void> {
  const baton = await session.baton()
  const { id: approvalId } = await baton.approvals.get(id)
  const denied = await baton.approvals.deny(approvalId, message)
  session.print(denied, () => `${shortId(denied.id)} is denied; the agent goes on without it.`)
}

function scopeOf({ session, job }: AllowOptions): ApprovalScope {
  if (session && job) throw new BatonError('bad_input', 'Choose one of --session and --job.')
  return job ? 'job' : session ? 'session' : 'once'
}

function scopeText({ scope, pattern, job }: ApprovalView): string {
  if (scope === 'session') return `, and ${pattern} for the rest of its run`
  return scope === 'job' ? `, and ${pattern} in every later run of job ${job?.key}` : ' this once'
}

/** The exact action: what a person must see before they answer. */
export function approvalText(approval: ApprovalView, style: Style): string {
  const { agent, machine, run, answeredBy } = approval
  const isQuestion = approval.tool === QUESTION_TOOL
  const lines = [
    `${style('bold', shortId(approval.id))}  ${stateText(approval, style)}  ${style('dim', approval.id)}`,
    `  ${printable(agent.key)} on ${printable(machine.name)} ${isQuestion ? 'asks you something' : `asks to use ${style('bold', printable(approval.tool))}`} in ${printable(approval.cwd)}`,
    ...printable(approval.summary)
      .split('\n')
      .map((line) => `  ${style('cyan', '│')} ${line}`),
  ]
  if (approval.inputCut)
    lines.push(style('yellow', '  ! The action is longer than is shown; its hash is of all of it.'))
  lines.push(
    style(
      'dim',
      `  run ${run.id} · sha256 ${approval.actionHash.slice(0, 16)}… · asked ${ago(approval.askedAt)}`,
    ),
  )
  if (approval.state === 'open') {
    lines.push(
      `  Denied in ${duration(Math.max(0, approval.expiresAt - Date.now()))} unless somebody answers:`,
    )
    lines.push(
      `  baton approval allow ${shortId(approval.id)}${isQuestion ? ' -m "…"' : ''}   baton approval deny ${shortId(approval.id)}`,
    )
  }
  if (answeredBy)
    lines.push(
      `  ${approval.state} by ${printable(answeredBy.name)} (${approval.answeredVia}) ${ago(approval.answeredAt)}${approval.state === 'allowed' ? scopeText(approval) : ''}`,
    )
  if (approval.message) lines.push(`  "${printable(approval.message)}"`)
  if (approval.answer?.reason) lines.push(style('yellow', `  ! ${printable(approval.answer.reason)}`))
  return lines.join('\n')
}

function stateText({ state }: ApprovalView, style: Style): string {
  const colours = {
    open: 'yellow',
    allowed: 'green',
    denied: 'red',
    expired: 'red',
    withdrawn: 'dim',
  } as const
  const shapes = { open: '◆', allowed: '✓', denied: '✕', expired: '✕', withdrawn: '■' } as const
  return style(colours[state], `${shapes[state]} ${state}`)
}
