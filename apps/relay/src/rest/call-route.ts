import { z } from 'zod'
import { appRouter } from '../api/app-router.ts'
import type { ApiContext } from '../api/context.ts'
import { editableFields, etagOf, etagRules, isKnown, isUnchanged } from './etags.ts'
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
  await assertUnchanged(call)
  const takesKey = HEADER_FIELDS.some((name) => route.input && name in route.input.shape)
  const answer = await callProcedure(context, route.procedure, {
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

async function assertUnchanged({ context, routes, found: { route, params } }: Call): Promise<void> {
  const header = context.request.headers['if-match']
  const { guards } = etagRules(route, routes)
  if (header === undefined || guards === null) return
  const now = await callProcedure(context, guards.procedure, params)
  if (isUnchanged(header, etagOf(now, JSON.stringify(now), editableFields(guards, routes)))) return
  throw new RestProblem({
    status: 412,
    type: 'precondition-failed',
    title: 'It was changed since you read it',
    detail: 'Read it again, apply your change to what it is now, and send the new ETag as If-Match.',
    code: 'conflict',
  })
}

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
