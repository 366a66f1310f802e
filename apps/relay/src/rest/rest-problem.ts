import { BatonError, ERROR_ANSWERS, type ErrorCode } from '@baton/protocol'
import { TRPCError } from '@trpc/server'
import { ZodError } from 'zod'
import { publicError } from '../api/trpc.ts'
import type { Problem } from '../http/problem.ts'

const TITLES: Record<ErrorCode, string> = {
  bad_input: 'The input is not right',
  not_signed_in: 'A valid API token is needed',
  key_unknown: 'This key is unknown',
  key_revoked: 'This key was revoked',
  forbidden: 'This is not allowed',
  not_found: 'There is no such thing here',
  conflict: 'It conflicts with what is so',
  session_conflict: 'Another session is in the way',
  runner_too_old: 'The runner is too old',
  too_large: 'It is too large',
  rate_limited: 'Too many requests',
  backlog_full: 'The machine has too much waiting',
  unavailable: 'The relay cannot do this right now',
  timeout: 'It took too long',
  internal: 'The relay failed',
}

export type FieldError = { path: string; message: string }

/** A refusal on its way to the client: a problem body with the code that tRPC, the CLI and the SDK use as well. */
export class RestProblem extends Error {
  readonly code: ErrorCode
  readonly problem: Problem & { errors?: FieldError[] }

  constructor({ code, ...problem }: Problem & { code: ErrorCode; errors?: FieldError[] }, cause?: unknown) {
    super(problem.detail, { cause })
    this.name = 'RestProblem'
    this.code = code
    this.problem = problem
  }
}

/** Any error as a problem. What was not foreseen says nothing of itself. */
export function toProblem(error: unknown): RestProblem {
  if (error instanceof RestProblem) return error
  const wrapped =
    error instanceof TRPCError ? error : new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause: error })
  const { code, message } = publicError(wrapped)
  const { cause } = wrapped
  const errors =
    cause instanceof ZodError
      ? cause.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
      : null
  return new RestProblem(
    {
      status: ERROR_ANSWERS[code].http,
      type: code.replaceAll('_', '-'),
      title: TITLES[code],
      detail: message,
      code,
      ...(errors && { errors }),
      ...(ERROR_ANSWERS[code].retryable && { retryAfterS: code === 'backlog_full' ? 60 : 1 }),
    },
    error,
  )
}

export const refusal = (code: ErrorCode, detail: string) => toProblem(new BatonError(code, detail))
