import type { ServerResponse } from 'node:http'

export type Problem = {
  status: number
  /** Stable and kebab-case: clients may branch on it. */
  type: string
  title: string
  detail: string
  retryAfterS?: number
  allow?: string
  /** For programs: the error's code, what the log calls the request, and each field that is not right. */
  code?: string
  requestId?: string
  errors?: readonly { path: string; message: string }[]
}

/** Answers with a problem body (RFC 9457). Nothing internal goes into it; the socket is closed after a body was refused. */
export function sendProblem(
  response: ServerResponse,
  problem: Problem,
  options: { close?: boolean } = {},
): void {
  if (response.headersSent || response.destroyed) return
  const body = JSON.stringify({
    type: `https://baton.dev/problems/${problem.type}`,
    title: problem.title,
    status: problem.status,
    detail: problem.detail,
    code: problem.code,
    requestId: problem.requestId,
    errors: problem.errors,
  })
  response.writeHead(problem.status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    ...(problem.retryAfterS !== undefined && { 'retry-after': String(problem.retryAfterS) }),
    ...(problem.allow !== undefined && { allow: problem.allow }),
    ...(options.close && { connection: 'close' }),
  })
  response.end(body)
}
