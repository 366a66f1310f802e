import { createHash, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ERROR_ANSWERS } from '@baton/protocol'
import { TRPCError } from '@trpc/server'
import type { ApiContext, RelayParts } from '../api/context.ts'
import { findPrincipal } from '../api/find-principal.ts'
import type { Principal } from '../api/principal.ts'
import { logUnforeseen } from '../api/trpc.ts'
import { sendProblem } from '../http/problem.ts'
import { callRoute } from './call-route.ts'
import { isKnown } from './etags.ts'
import { oncePerKey } from './idempotency.ts'
import { createRateLimits } from './rate-limits.ts'
import { readJsonBody } from './read-json-body.ts'
import type { RestAnswer } from './rest-answer.ts'
import { RestProblem, refusal, toProblem } from './rest-problem.ts'
import { createRouteFinder, type FoundRoute, isRepeatable, listRestRoutes, REST_PATH } from './rest-routes.ts'

const NO_TOKEN: Principal = {
  kind: 'nobody',
  code: 'not_signed_in',
  reason: 'Send an API token: "Authorization: Bearer bt_…". Make one with `npx baton token create <name>`.',
}

/**
 * REST below /api/v1 and its description at /api/openapi.json. Every route is a procedure of the tRPC routers, called with
 * the same context: what may be asked, who may ask and what is answered are decided there. Bearer tokens only: a browser's
 * cookie counts for nothing here, so no page of another origin can use it.
 */
export function createRest(parts: RelayParts) {
  const routes = listRestRoutes()
  const findRoute = createRouteFinder(routes)
  const countRequest = createRateLimits(parts.config.apiRate, parts.now)
  let document: Promise<{ body: string; etag: string }> | null = null

  async function answerDocument(request: IncomingMessage, response: ServerResponse) {
    if (request.method !== 'GET' && request.method !== 'HEAD') throw wrongMethod(['GET'])
    document ??= describe(parts.version)
    const { etag, body } = await document
    const headers = { etag, 'cache-control': 'no-cache' }
    const isSame = isKnown(request.headers['if-none-match'], etag)
    send(response, isSame ? { status: 304, headers, body: null } : { status: 200, headers, body })
  }

  async function answer(request: IncomingMessage, response: ServerResponse, requestId: string, url: URL) {
    response.setHeader('cache-control', 'no-store')
    const principal = await findCaller(request)
    const rate = countRequest(rateKey(principal, request))
    for (const [name, value] of Object.entries(rate.headers)) response.setHeader(name, value)
    if (!rate.ok) throw tooMany(rate.retryAfterS)
    if (principal.kind === 'nobody') throw refusal(principal.code, principal.reason)
    const found = findRoute(
      request.method === 'HEAD' ? 'GET' : (request.method ?? ''),
      url.pathname.slice(REST_PATH.length),
    )
    if (!('route' in found)) throw found.allowed.length > 0 ? wrongMethod(found.allowed) : nothingHere()
    const context: ApiContext = {
      ...parts,
      principal,
      requestId,
      request,
      socket: null,
      setCookie: () => {},
    }
    send(response, await act(context, found, url))
  }

  async function act(context: ApiContext, found: FoundRoute, url: URL): Promise<RestAnswer> {
    const { request, principal } = context
    const takesBody = found.route.method !== 'GET' && found.route.method !== 'DELETE'
    const given = takesBody ? await readJsonBody(request) : url.searchParams
    const key = idempotencyKey(request)
    const call = (keyForProcedure: string | null) =>
      callRoute({ context, routes, found, given, url, idempotencyKey: keyForProcedure }).catch(
        (error: unknown) => {
          throw toProblem(error)
        },
      )
    if (key !== null && isRepeatable(found.route) && principal.kind === 'user') {
      const caller = principal.credential.hash
      const keyed = {
        organizationId: principal.organizationId,
        caller,
        key,
        request: JSON.stringify([found.route.method, url.pathname, given]),
      }
      // Procedures that know keys themselves get one that no other caller can have, and are safe even if this relay dies.
      const own = createHash('sha256').update(`${caller}\n${key}`).digest('hex')
      return oncePerKey({ db: parts.connection.db, sealKey: parts.keys.seal }, keyed, () => call(own))
    }
    return call(null)
  }

  async function findCaller(request: IncomingMessage): Promise<Principal> {
    if (request.headers.authorization === undefined) return NO_TOKEN
    const deps = {
      db: parts.connection.db,
      keys: parts.keys,
      publicOrigin: parts.config.publicUrl,
      now: parts.now,
    }
    return findPrincipal(deps, request, null)
  }

  function fail(request: IncomingMessage, response: ServerResponse, requestId: string, error: unknown) {
    const { code, problem } = toProblem(error)
    if (ERROR_ANSWERS[code].http >= 500) {
      const wrapped =
        error instanceof TRPCError ? error : new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause: error })
      logUnforeseen(parts.log.child({ requestId }), wrapped, request.url?.split('?')[0])
    }
    if (problem.status === 401) response.setHeader('www-authenticate', 'Bearer realm="baton"')
    sendProblem(response, { ...problem, code, requestId }, { close: problem.status === 413 })
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    const requestId = randomUUID()
    response.setHeader('request-id', requestId)
    const handle = async () => {
      const url = new URL(request.url ?? '/', 'http://relay')
      if (url.pathname === '/api/openapi.json') return answerDocument(request, response)
      if (!url.pathname.startsWith(`${REST_PATH}/`)) throw nothingHere()
      await answer(request, response, requestId, url)
    }
    handle().catch((error: unknown) => fail(request, response, requestId, error))
  }
}

/** Its generator is loaded with the first request: no relay starts later for it. */
async function describe(version: string) {
  const { createOpenApiDocument } = await import('./openapi-document.ts')
  const body = JSON.stringify(createOpenApiDocument(version))
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }
}

/** A token has its own count; whoever has none shares one with the others at the same address. */
function rateKey(principal: Principal, request: IncomingMessage): string {
  if (principal.kind === 'user') return principal.credential.hash
  if (principal.kind === 'machine') return principal.machineId
  return `address:${request.socket.remoteAddress ?? ''}`
}

function idempotencyKey(request: IncomingMessage): string | null {
  const header = request.headers['idempotency-key']
  if (header === undefined) return null
  // The draft of the standard writes it as a quoted string, most clients write it plainly.
  const key = String(header).replace(/^"(.*)"$/, '$1')
  if (/^[\x21-\x7e]{1,200}$/.test(key)) return key
  throw refusal('bad_input', 'Idempotency-Key: use 1 to 200 visible ASCII characters.')
}

function send(response: ServerResponse, { status, headers, body }: RestAnswer): void {
  response.writeHead(status, {
    ...headers,
    ...(body !== null && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    }),
  })
  response.end(body ?? undefined)
}

const nothingHere = () =>
  refusal('not_found', 'There is no such address in this API. /api/openapi.json lists all of them.')

const wrongMethod = (allowed: string[]) =>
  new RestProblem({
    status: 405,
    type: 'method-not-allowed',
    title: 'This address takes another method',
    detail: `Use ${allowed.join(' or ')}.`,
    code: 'bad_input',
    allow: allowed.join(', '),
  })

const tooMany = (retryAfterS: number) =>
  new RestProblem({
    status: 429,
    type: 'rate-limited',
    title: 'Too many requests',
    detail: `This token has used up its requests of this minute. Go on in ${retryAfterS} s.`,
    code: 'rate_limited',
    retryAfterS,
  })
