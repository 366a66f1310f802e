import {
  BatonError,
  ERROR_ANSWERS,
  type ErrorCode,
  type MachineId,
  type OrganizationId,
} from '@baton/protocol'
import type { Logger } from '@baton/service'
import { initTRPC, TRPCError } from '@trpc/server'
import { ZodError, z } from 'zod'
import { withinTime } from '../live/within-time.ts'
import type { RestMeta } from '../rest/rest-place.ts'
import type { ApiContext } from './context.ts'
import { scopeOf } from './procedure-scopes.ts'

const t = initTRPC
  .context<ApiContext>()
  .meta<RestMeta>()
  .create({
    // Errors say what was decided to be public and nothing else: tRPC alone would send the message of any error.
    errorFormatter({ shape, error, ctx }) {
      const { code, message } = publicError(error)
      return {
        ...shape,
        message,
        data: {
          code: ERROR_ANSWERS[code].trpc,
          httpStatus: ERROR_ANSWERS[code].http,
          batonCode: code,
          requestId: ctx?.requestId ?? null,
          path: shape.data.path,
        },
      }
    },
  })

export const router = t.router

/** No call hangs longer, whatever the database does; what it was about may still happen. */
const CALL_LIMIT_MS = 5_000

/** Nothing but a subscription, a long poll and a sample to somebody's server may take longer than a call may. */
const limitTime = t.middleware(async ({ next, path, type }) => {
  const isLong = type === 'subscription' || path === 'runner.pull' || path === 'outputs.test'
  return isLong ? await next() : await withinTime(next(), CALL_LIMIT_MS)
})

/** For the adapters' onError, which sees every error, those out of a subscription's generator as well. */
export function logUnforeseen(log: Logger, error: TRPCError, path: string | undefined): void {
  const { code } = publicError(error)
  if (code === 'internal' || code === 'unavailable')
    log.error({ path, code, error: error.cause ?? error }, 'a call failed')
}

export const publicProcedure = t.procedure.use(limitTime)

/** A signed-in person, or a token of theirs with the scope that the procedure needs. */
export const userProcedure = publicProcedure.use(({ next, ctx, path }) => {
  const { principal } = ctx
  if (principal.kind === 'user') {
    const scope = scopeOf(path)
    if (scope === null || principal.scopes.includes(scope)) return next({ ctx: { ...ctx, principal } })
    throw new BatonError(
      'forbidden',
      `This token lacks the scope "${scope}". Make one that has it: baton token create <name> --scopes ${[...principal.scopes, scope].join(',')}`,
    )
  }
  if (principal.kind === 'nobody') throw new BatonError(principal.code, principal.reason)
  throw new BatonError(
    'forbidden',
    'A machine key cannot do this; use a token of a person (baton token create).',
  )
})

/** A person who may change things: everybody but viewers. */
export const memberProcedure = userProcedure.use(({ next, ctx }) => {
  if (ctx.principal.role === 'viewer') {
    throw new BatonError(
      'forbidden',
      'Viewers can look but not change anything; ask an owner for another role.',
    )
  }
  return next({ ctx })
})

/** A runner with its machine's token. */
export const runnerProcedure = publicProcedure.use(({ next, ctx }) => {
  const { principal } = ctx
  if (principal.kind === 'machine') return next({ ctx: { ...ctx, principal } })
  if (principal.kind === 'nobody') throw new BatonError(principal.code, principal.reason)
  throw new BatonError('forbidden', 'Only a runner with its machine key can do this.')
})

export type MachinePlace = { machineId: MachineId; organizationId: OrganizationId }

/** What of an error may be said. */
export function publicError(error: TRPCError): { code: ErrorCode; message: string } {
  const cause = error.cause
  if (cause instanceof BatonError) return { code: cause.code, message: cause.message }
  if (cause instanceof ZodError) {
    return {
      code: 'bad_input',
      message: `The input is not right. ${z.prettifyError(cause).replaceAll('\n', ' ')}`,
    }
  }
  if (isDatabaseAway(cause)) {
    return {
      code: 'unavailable',
      message: 'The relay cannot reach its database right now. Nothing is lost; try again in a moment.',
    }
  }
  for (const code of [
    'NOT_FOUND',
    'PAYLOAD_TOO_LARGE',
    'BAD_REQUEST',
    'METHOD_NOT_SUPPORTED',
    'TIMEOUT',
  ] as const) {
    if (error.code === code) return { code: BY_TRPC[code], message: error.message }
  }
  return { code: 'internal', message: 'The relay failed; its log has the details under the request id.' }
}

const BY_TRPC = {
  NOT_FOUND: 'not_found',
  PAYLOAD_TOO_LARGE: 'too_large',
  BAD_REQUEST: 'bad_input',
  METHOD_NOT_SUPPORTED: 'bad_input',
  TIMEOUT: 'timeout',
} as const

/** Connection failures and the states in which a server refuses for a while (restart, recovery, too many clients). */
export function isDatabaseAway(error: unknown): boolean {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return (
    typeof code === 'string' &&
    (/^(CONNECTION_|CONNECT_TIMEOUT|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE)/.test(code) ||
      /^(08|57P|53|40)/.test(code) ||
      code === '57014')
  )
}
export { TRPCError }
