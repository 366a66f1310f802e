/** Every code that crosses a module or the wire. A new one does not compile until each table below answers it. */
export type ErrorCode =
  | 'bad_input'
  | 'not_signed_in'
  | 'key_unknown'
  | 'key_revoked'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'session_conflict'
  | 'runner_too_old'
  | 'too_large'
  | 'rate_limited'
  | 'backlog_full'
  | 'unavailable'
  | 'timeout'
  | 'internal'

type TrpcCode =
  | 'BAD_REQUEST'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'PRECONDITION_FAILED'
  | 'PAYLOAD_TOO_LARGE'
  | 'TOO_MANY_REQUESTS'
  | 'SERVICE_UNAVAILABLE'
  | 'TIMEOUT'
  | 'INTERNAL_SERVER_ERROR'

type Answers = { http: number; trpc: TrpcCode; exit: number; retryable: boolean }

/** HTTP status, tRPC code and exit code of the command line for each error code (docs: `baton help exit-codes`). */
export const ERROR_ANSWERS: Record<ErrorCode, Answers> = {
  bad_input: { http: 400, trpc: 'BAD_REQUEST', exit: 2, retryable: false },
  not_signed_in: { http: 401, trpc: 'UNAUTHORIZED', exit: 4, retryable: false },
  key_unknown: { http: 401, trpc: 'UNAUTHORIZED', exit: 4, retryable: false },
  key_revoked: { http: 401, trpc: 'UNAUTHORIZED', exit: 4, retryable: false },
  forbidden: { http: 403, trpc: 'FORBIDDEN', exit: 5, retryable: false },
  not_found: { http: 404, trpc: 'NOT_FOUND', exit: 3, retryable: false },
  conflict: { http: 409, trpc: 'CONFLICT', exit: 6, retryable: false },
  session_conflict: { http: 409, trpc: 'CONFLICT', exit: 6, retryable: false },
  runner_too_old: { http: 412, trpc: 'PRECONDITION_FAILED', exit: 6, retryable: false },
  too_large: { http: 413, trpc: 'PAYLOAD_TOO_LARGE', exit: 2, retryable: false },
  rate_limited: { http: 429, trpc: 'TOO_MANY_REQUESTS', exit: 11, retryable: true },
  backlog_full: { http: 429, trpc: 'TOO_MANY_REQUESTS', exit: 11, retryable: true },
  unavailable: { http: 503, trpc: 'SERVICE_UNAVAILABLE', exit: 7, retryable: true },
  timeout: { http: 504, trpc: 'TIMEOUT', exit: 124, retryable: true },
  internal: { http: 500, trpc: 'INTERNAL_SERVER_ERROR', exit: 1, retryable: false },
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_ANSWERS, value)
}

/**
 * The one error class that crosses modules. `message` is public: it says what was being done, what happened and what
 * to do, and holds no secret and no internals; those go into `cause`, which edges log and never send.
 */
export class BatonError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, publicMessage: string, options?: { cause?: unknown }) {
    super(publicMessage, options)
    this.name = 'BatonError'
    this.code = code
  }
}
