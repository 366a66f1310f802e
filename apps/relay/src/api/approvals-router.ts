import { answerApproval, findApproval, listApprovals } from '@baton/db'
import {
  APPROVAL_SCOPES,
  APPROVAL_STATES,
  type ApprovalScope,
  type ApprovalView,
  approvalPattern,
  BatonError,
  coversAction,
  isId,
  type OrganizationId,
  type Page,
  QUESTION_TOOL,
  toId,
} from '@baton/protocol'
import { approvalView, pageOf } from '@baton/protocol/view-schemas'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { answeredVia } from '../approvals/answered-via.ts'
import { rest } from '../rest/rest-place.ts'
import type { ApiContext } from './context.ts'
import { found } from './found.ts'
import { byId, pageInput } from './inputs.ts'
import { memberProcedure, router, userProcedure } from './trpc.ts'

type Caller = ApiContext & { principal: { organizationId: OrganizationId } }

/** What agents ask before they act. */
export const approvalsRouter = router({
  /** Newest first. */
  list: userProcedure
    .meta(rest('GET /approvals', 'What agents ask before they act, newest first'))
    .input(
      pageInput.extend({ state: z.enum(APPROVAL_STATES).optional(), runId: z.string().max(200).optional() }),
    )
    .output(pageOf(approvalView))
    .query(async ({ ctx, input }): Promise<Page<ApprovalView>> => {
      const { cursor } = input
      if (cursor && !isId('approval', cursor))
        throw new BatonError('bad_input', 'This cursor is not one that a list gave out.')
      const runId = input.runId === undefined || isId('run', input.runId) ? input.runId : null
      if (runId === null) return { items: [], nextCursor: null }
      const items = await listApprovals(ctx.connection.db, ctx.principal.organizationId, {
        state: input.state,
        runId: runId as `run_${string}` | undefined,
        before: (cursor ?? undefined) as `apr_${string}` | undefined,
        newestFirst: true,
        limit: input.limit,
      })
      return { items, nextCursor: items.length === input.limit ? (items.at(-1)?.id ?? null) : null }
    }),

  /** The id, or the unique beginning of one. */
  get: userProcedure
    .meta(rest('GET /approvals/{id}', 'One approval'))
    .input(byId)
    .output(approvalView)
    .query(({ ctx, input }) => getApproval(ctx, input.id)),

  /**
   * The first answer wins; a later one is a conflict that says who decided what. `scope` is for allowing: `session` and
   * `job` also allow `pattern` (default: exactly this action again) without a question. `message` goes to the agent with
   * a no, and is the answer to a question.
   */
  answer: memberProcedure
    .meta(rest('POST /approvals/{id}/answer', 'Allow or deny; the first answer counts'))
    .input(
      byId.extend({
        decision: z.enum(['allow', 'deny']),
        scope: z.enum(APPROVAL_SCOPES).default('once'),
        pattern: approvalPattern.optional(),
        message: z.string().trim().min(1).max(4_000).optional(),
      }),
    )
    .output(approvalView)
    .mutation(async ({ ctx, input }): Promise<ApprovalView> => {
      const { organizationId, userId } = ctx.principal
      const approval = await getApproval(ctx, input.id)
      if (approval.state !== 'open') throw decided(approval)
      const isQuestion = approval.tool === QUESTION_TOOL
      if (isQuestion && input.decision === 'allow' && input.message === undefined)
        throw new BatonError('bad_input', 'This is a question: give the answer as its message.')
      const answered = await answerApproval(ctx.connection.db, organizationId, approval.id, {
        decision: input.decision,
        scope: input.decision === 'allow' ? input.scope : 'once',
        pattern: input.decision === 'allow' ? patternFor(approval, input) : null,
        message: input.message ?? null,
        by: userId,
        via: answeredVia(ctx),
        controlId: toId('control', uuidv7()),
      })
      if (!answered) {
        const now = await getApproval(ctx, approval.id)
        throw now.state === 'open' ? unreachable(now, ctx.now()) : decided(now)
      }
      ctx.hints.send('control', answered.machineId)
      ctx.changes.tell(organizationId, 'approval', approval.id)
      ctx.changes.tell(organizationId, 'run', answered.runId)
      if (input.scope === 'job' && answered.jobId) {
        ctx.hints.send('config', answered.jobId)
        ctx.changes.tell(organizationId, 'job', answered.jobId)
      }
      return getApproval(ctx, approval.id)
    }),
})

async function getApproval(ctx: Caller, id: string): Promise<ApprovalView> {
  return found(await findApproval(ctx.connection.db, ctx.principal.organizationId, id), 'approval', id)
}

/** What is allowed from now on without a question; null for this once. */
function patternFor(
  approval: ApprovalView,
  { scope, pattern }: { scope: ApprovalScope; pattern?: string | undefined },
): string | null {
  if (scope === 'once') {
    if (pattern !== undefined)
      throw new BatonError('bad_input', 'A pattern is for the rest of a session or for a job: set the scope.')
    return null
  }
  if (scope === 'job' && approval.job === null)
    throw new BatonError('bad_input', 'This run belongs to no job. Allow it once or for its session.')
  const chosen = pattern ?? approval.pattern
  if (chosen === null)
    throw new BatonError(
      'bad_input',
      `There is no pattern that means only this use of ${approval.tool}. Allow it once, or give a pattern.`,
    )
  if (!coversAction(chosen, { tool: approval.tool, input: approval.input }))
    throw new BatonError(
      'bad_input',
      `The pattern ${chosen} does not cover what is asked. One with * never covers several commands or a path with "..".`,
    )
  return chosen
}

function decided(approval: ApprovalView): BatonError {
  const who = approval.answeredBy ? ` by ${approval.answeredBy.name} (${approval.answeredVia})` : ''
  const when = approval.answeredAt === null ? '' : ` at ${new Date(approval.answeredAt).toISOString()}`
  const what = {
    open: 'It is open',
    allowed: 'It was allowed already',
    denied: 'It was denied already',
    expired: 'Nobody answered in time, so it was denied',
    withdrawn: 'The agent no longer waits for an answer',
  }[approval.state]
  return new BatonError('conflict', `${what}${who}${when}. The first answer counts; yours changed nothing.`)
}

function unreachable(approval: ApprovalView, nowMs: number): BatonError {
  return new BatonError(
    'conflict',
    approval.expiresAt <= nowMs
      ? 'Its time ran out a moment ago, so it is denied. Your answer changed nothing.'
      : `The run ${approval.run.id} no longer waits for an answer. Yours changed nothing.`,
  )
}
