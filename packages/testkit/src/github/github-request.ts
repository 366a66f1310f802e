import type { GithubWorld, Installation, Repository, StandInApp, Token } from './github-world.ts'

/** Who asks: the App itself by its JWT, or an installation by a token. */
export type Caller =
  | { kind: 'nobody' }
  | { kind: 'app'; app: StandInApp }
  | { kind: 'installation'; token: Token; installation: Installation }

export type GithubRequest = {
  world: GithubWorld
  method: string
  path: string
  query: URLSearchParams
  parts: string[]
  body: Record<string, unknown>
  caller: Caller
  origin: string
}

export type GithubAnswer = { status: number; body?: unknown; headers?: Record<string, string> }

/** What GitHub answers with another status than success; thrown by the routes. */
export class GithubRefusal extends Error {
  readonly status: number
  readonly headers: Record<string, string>

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

export function callerApp({ caller }: GithubRequest): StandInApp {
  if (caller.kind !== 'app') throw new GithubRefusal(401, 'A JSON web token could not be decoded')
  return caller.app
}

/** The repository in the path, when the caller's token reaches it and has this permission. */
export function callerRepository(
  request: GithubRequest,
  permission: string,
  level: 'read' | 'write',
): { repository: Repository; app: StandInApp } {
  const { caller, parts, world } = request
  if (caller.kind !== 'installation') throw new GithubRefusal(401, 'Bad credentials')
  const fullName = `${parts[1]}/${parts[2]}`.toLowerCase()
  const repository = world.repositories.find((one) => `${one.owner}/${one.name}`.toLowerCase() === fullName)
  if (!repository || !caller.token.repositoryIds.includes(repository.id))
    throw new GithubRefusal(404, 'Not Found')
  const granted = caller.token.permissions[permission]
  if (granted !== 'write' && granted !== level)
    throw new GithubRefusal(403, 'Resource not accessible by integration')
  return { repository, app: caller.installation.app }
}

/** One page of a list, with the headers by which clients find the next. */
export function paged(
  request: GithubRequest,
  items: unknown[],
  wrap?: (page: unknown[]) => unknown,
): GithubAnswer {
  const size = Math.min(Number(request.query.get('per_page') ?? 30), 100)
  const page = Number(request.query.get('page') ?? 1)
  const part = items.slice((page - 1) * size, page * size)
  const next = new URL(`${request.origin}${request.path}`)
  for (const [key, value] of request.query) next.searchParams.set(key, value)
  next.searchParams.set('page', String(page + 1))
  const headers: Record<string, string> =
    page * size < items.length ? { link: `<${next.href}>; rel="next"` } : {}
  return { status: 200, body: wrap ? wrap(part) : part, headers }
}
