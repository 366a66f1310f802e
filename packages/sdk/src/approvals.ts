import type { ApprovalScope, ApprovalState, ApprovalView } from '@baton/protocol'
import type { Call } from './call.ts'
import type { Raw } from './connect.ts'
import { listPages } from './list-pages.ts'

export type AllowOptions = {
  /** `session`: also the rest of this run; `job`: also all later runs of its job. Default: `once`. */
  scope?: ApprovalScope
  /** With `session` or `job`: what is allowed from now on, such as `Bash(git *)`. Default: exactly this again. */
  pattern?: string
  /** The answer to a question. */
  message?: string
}

/** What agents ask before they act. The first answer counts; a later one throws a `conflict` that says whose did. */
export type Approvals = {
  /** Newest first. */
  list(filter?: {
    state?: ApprovalState
    runId?: string
    pageSize?: number
  }): AsyncGenerator<ApprovalView, void, undefined>
  /** An id, or the unique beginning of one. */
  get(id: string): Promise<ApprovalView>
  allow(id: string, options?: AllowOptions): Promise<ApprovalView>
  /** `message` tells the agent why. */
  deny(id: string, message?: string): Promise<ApprovalView>
}

export function createApprovals(raw: Raw, call: Call): Approvals {
  return {
    list: ({ pageSize = 50, ...filter } = {}) =>
      listPages((cursor) => call(raw.approvals.list.query({ ...filter, limit: pageSize, cursor }))),
    get: (id) => call(raw.approvals.get.query({ id })),
    allow: (id, options = {}) => call(raw.approvals.answer.mutate({ id, decision: 'allow', ...options })),
    deny: (id, message) =>
      call(raw.approvals.answer.mutate({ id, decision: 'deny', ...(message ? { message } : {}) })),
  }
}
