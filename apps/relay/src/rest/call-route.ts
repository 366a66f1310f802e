import { findRowVersion } from '@baton/db'
import { BatonError } from '@baton/protocol'
import { TRPCError } from '@trpc/server'
import { z } from 'zod'
import { appRouter } from '../api/app-router.ts'
import type { ApiContext } from '../api/context.ts'
import { editableFields, etagOf, etagRules, isKnown, isUnchanged, tableOf } from './etags.ts'
import { assertNothingUnknown, readQuery } from './read-input.ts'
import type { RestAnswer } from './rest-answer.ts'
import { RestProblem } from './rest-problem.ts'
import {
  type FoundRoute,
  HEADER_FIELDS,
  isPaged,
  REST_PATH,
  type RestRoute,
  successStatus,
} from './rest-routes.ts'

/** How often a row that others change may be compared anew. */
const MOST_TRIES = 20

type Call = {
  context: ApiContext
  routes: readonly RestRoute[]
  found: FoundRoute
  /** The JSON body, or the query of a route without one. */
  given: Record<string, unknown> | URLSearchParams
  url: URL
  idempotencyKey: string | null
}

/** Calls the procedure of a route with what came in its path, query and body, and answers as HTTP does. */
export async function callRoute(call: Call): Promise<RestAnswer> {
  const { context, routes, given, url, idempotencyKey } = call
  const { route, params } = call.found
  const fields = given instanceof URLSearchParams ? readQuery(route.input, given) : given
  assertNothingUnknown(route, fields, params)
  const takesKey = HEADER_FIELDS.some((name) => route.input && name in route.input.shape)
  const answer = await callUnchanged(call, {
    ...fields,
    ...params,
    ...(takesKey && idempotencyKey !== null && { idempotencyKey }),
  })
  if (route.output instanceof z.ZodVoid) return { status: successStatus(route), headers: {}, body: null }
  // A list without pages has the shape of one with them, so that it can get some.
  const whole = route.output instanceof z.ZodArray ? { items: answer, nextCursor: null } : answer
  const body = JSON.stringify(whole ?? null)
  const headers: Record<string, string> = {}
  if (route.created) headers.location = `${REST_PATH}${fill(route.created, answer)}`
  const next = isPaged(route) ? (answer as { nextCursor: string | null }).nextCursor : null
  if (next !== null) headers.link = `<${withCursor(url, next)}>; rel="next"`
  const shown = etagRules(route, routes).read ? route : readsTheSame(route, routes)
  if (shown) headers.etag = etagOf(whole, body, editableFields(shown, routes))
  if (route.method === 'GET' && isKnown(context.request.headers['if-none-match'], headers.etag ?? ''))
    return { status: 304, headers, body: null }
  return { status: successStatus(route), headers, body }
}

/** A PATCH that answers what a GET of the same path would. */
function readsTheSame(route: RestRoute, routes: readonly RestRoute[]): RestRoute | null {
  const { guards } = etagRules(route, routes)
  return route.method === 'PATCH' && guards?.output === route.output ? guards : null
}

/**
 * Makes a change that is to be made only to what If-Match names. It is compared here and made in one statement only while
 * the row is the one that was compared, so that of several changes with one ETag, on any relays, exactly one is made. What
 * changed the row meanwhile may be nothing of what people set: then it is compared again.
 */
async function callUnchanged(call: Call, input: object): Promise<unknown> {
  const { context, routes } = call
  const { route, params } = call.found
  const header = context.request.headers['if-match']
  const { guards } = etagRules(route, routes)
  if (header === undefined || guards === null) return callProcedure(context, route.procedure, input)
  for (let tries = 1; ; tries += 1) {
    const ifVersion = await versionOf(context, guards, params)
    const now = await callProcedure(context, guards.procedure, params)
    if (!isUnchanged(header, etagOf(now, JSON.stringify(now), editableFields(guards, routes))))
      throw changed()
    try {
      return await callProcedure({ ...context, ifVersion }, route.procedure, input)
    } catch (error) {
      if (!isMissing(error) || tries === MOST_TRIES) throw error
    }
  }
}

/** The version of the row behind a resource; the row may be named by its key in the path. */
async function versionOf(context: ApiContext, guards: RestRoute, params: object): Promise<string> {
  const { id } = (await callProcedure(context, guards.procedure, params)) as { id: string }
  const version = await findRowVersion(context.connection.db, tableOf(guards), id)
  // It went away in this moment: no row has this version.
  return version ?? ''
}

const isMissing = (error: unknown) =>
  error instanceof TRPCError && error.cause instanceof BatonError && error.cause.code === 'not_found'

const changed = () =>
  new RestProblem({
    status: 412,
    type: 'precondition-failed',
    title: 'It was changed since you read it',
    detail: 'Read it again, apply your change to what it is now, and send the new ETag as If-Match.',
    code: 'conflict',
  })

function callProcedure(context: ApiContext, procedure: string, input: object): Promise<unknown> {
  let at: unknown = appRouter.createCaller(context)
  for (const name of procedure.split('.')) at = (at as Record<string, unknown>)[name]
  return (at as (input: object) => Promise<unknown>)(input)
}

/** `/jobs/{job.id}` with what the answer says. */
function fill(template: string, answer: unknown): string {
  return template.replaceAll(/\{([\w.]+)\}/g, (_, path: string) => {
    const value = path.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], answer)
    return encodeURIComponent(String(value))
  })
}

function withCursor(url: URL, cursor: string): string {
  const next = new URL(url)
  next.searchParams.set('cursor', cursor)
  return `${next.pathname}${next.search}`
}
