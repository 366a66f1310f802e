import { BatonError, ERROR_ANSWERS, type ErrorCode, isErrorCode } from '@baton/protocol'
import { TRPCClientError } from '@trpc/client'

/** What the relay refused or why it could not be asked. `message` says what happened and what to do. */
export class BatonApiError extends BatonError {
  /** Names this call in the relay's log; null when the relay never answered. */
  readonly requestId: string | null
  /** The HTTP status; null when there was no answer. */
  readonly status: number | null
  /** Trying the same call again later may succeed. */
  readonly retryable: boolean

  constructor(
    code: ErrorCode,
    message: string,
    { requestId, status, cause }: { requestId?: string | null; status?: number | null; cause?: unknown } = {},
  ) {
    super(code, message, { cause })
    this.name = 'BatonApiError'
    this.requestId = requestId ?? null
    this.status = status ?? null
    this.retryable = ERROR_ANSWERS[code].retryable
  }
}

/** Turns whatever a call threw into the one error of this package. */
export function toApiError(cause: unknown, url: string): BatonApiError {
  if (cause instanceof BatonApiError) return cause
  const inner = cause instanceof Error && cause.cause instanceof BatonApiError ? cause.cause : undefined
  if (inner) return inner
  if (!(cause instanceof TRPCClientError)) return unreachable(url, cause)
  const data = cause.data as { batonCode?: unknown; httpStatus?: number; requestId?: string } | undefined
  if (!data) return notARelay(cause, url) ?? unreachable(url, cause)
  const code = isErrorCode(data.batonCode) ? data.batonCode : codeOfStatus(data.httpStatus)
  return new BatonApiError(code, cause.message, {
    requestId: data.requestId ?? null,
    status: data.httpStatus ?? null,
    cause,
  })
}

/** An answer without our error shape: a proxy, another program on this port, or a relay of another version. */
function notARelay(cause: TRPCClientError<never> | Error, url: string): BatonApiError | undefined {
  const response = (cause as { meta?: { response?: Response } }).meta?.response
  return response && strangeAnswer(response, url, cause)
}

/** Throws for an answer that is no JSON, such as the page of a proxy: nothing of it could be read. */
export function assertReadable(response: Response, url: string): void {
  if (!/[/+]json\b/.test(response.headers.get('content-type') ?? '')) throw strangeAnswer(response, url)
}

function strangeAnswer(response: Response, url: string, cause?: unknown): BatonApiError {
  const what = `Calling the relay at ${url}: something answered ${response.status}, but not as a Baton relay does.`
  const said = codeOfStatus(response.status)
  // A 404 of something else says nothing of what was asked for.
  const code = said === 'too_large' || said === 'rate_limited' ? said : 'unavailable'
  return new BatonApiError(code, `${what} Check the address.`, {
    status: response.status,
    cause,
  })
}

function unreachable(url: string, cause: unknown): BatonApiError {
  const why = reasonOf(cause)
  return new BatonApiError(
    'unavailable',
    `Calling the relay at ${url}: ${why} Is it running, and is the address right?`,
    {
      cause,
    },
  )
}

function reasonOf(cause: unknown): string {
  for (let at = cause; at instanceof Error; at = at.cause) {
    const code = (at as NodeJS.ErrnoException).code
    if (code && Object.hasOwn(REASONS, code)) return REASONS[code] as string
  }
  return 'it could not be reached.'
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there.',
  ENOTFOUND: 'there is no host of that name.',
  EAI_AGAIN: 'the name could not be looked up; this machine may be offline.',
  ECONNRESET: 'the connection was cut.',
  UND_ERR_SOCKET: 'the connection was cut.',
  ETIMEDOUT: 'it did not answer.',
  EHOSTUNREACH: 'there is no way to that host.',
  ENETUNREACH: 'this machine is offline.',
  CERT_HAS_EXPIRED: 'its certificate has expired.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed; set NODE_EXTRA_CA_CERTS.',
}

function codeOfStatus(status: number | undefined): ErrorCode {
  const codes = Object.keys(ERROR_ANSWERS) as ErrorCode[]
  const code = codes.find((one) => ERROR_ANSWERS[one].http === status)
  return code ?? (status !== undefined && status > 500 ? 'unavailable' : 'internal')
}
