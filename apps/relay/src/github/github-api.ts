import type { GithubAppRow } from '@baton/db'
import { openSecret } from '../secrets/seal.ts'
import type { GithubFetch } from './github-fetch.ts'

export type GithubAnswer<T> = {
  status: number
  data: T
  headers: Record<string, string | number | undefined>
}

/** One call of GitHub's REST API, `GET /repos/{owner}/{repo}` with what fills it in. Throws as {@link readFailure} reads it. */
export type GithubCall = <T = unknown>(
  route: string,
  parameters?: Record<string, unknown>,
) => Promise<GithubAnswer<T>>

export type Scope = { installationId: number; repositoryId: number; permissions: Record<string, string> }

export type GithubApi = {
  /** As the App itself, by a signed token of ten minutes. */
  asApp(app: GithubAppRow): Promise<GithubCall>
  /** As an installation, by a token for one repository and these permissions, kept in memory only. */
  asInstallation(app: GithubAppRow, scope: Scope): Promise<GithubCall>
  /** As an installation with all it was given: for showing what that is. */
  asWholeInstallation(app: GithubAppRow, installationId: number): Promise<GithubCall>
  /** A new token for one run. Whoever gets it hands it back to {@link revoke}. */
  makeToken(app: GithubAppRow, scope: Scope): Promise<string>
  revoke(app: Pick<GithubAppRow, 'api_url'>, token: string): Promise<void>
  /** Without any credential, for the one call that has none. */
  asNobody(apiUrl: string): Promise<GithubCall>
  /** Forgets what it made for this App. */
  forget(id: string): void
}

const TOKEN_FRESH_MS = 50 * 60_000
const MOST_TOKENS = 1_000
const USER_AGENT = 'baton-relay'

/**
 * GitHub through Octokit. Nothing is repeated in here: whether a call may be made again is for the ledger to say, which
 * reads back first.
 */
export function createGithubApi(deps: { sealKey: Buffer; fetch: GithubFetch; now: () => number }): GithubApi {
  const apps = new Map<string, Promise<GithubCall>>()
  const tokens = new Map<string, { token: Promise<string>; until: number }>()
  const { now } = deps

  async function octokit(apiUrl: string) {
    const { App, Octokit } = await import('octokit')
    const Own = Octokit.defaults({
      baseUrl: apiUrl,
      userAgent: USER_AGENT,
      retry: { enabled: false },
      throttle: { enabled: false },
      log: { debug() {}, info() {}, warn() {}, error() {} },
      request: { fetch: deps.fetch },
    })
    return { App, Octokit: Own }
  }

  async function makeAppCall(app: GithubAppRow): Promise<GithubCall> {
    const { App, Octokit } = await octokit(app.api_url)
    const privateKey = openSecret(deps.sealKey, app.id, app.sealed_private_key)
    return toCall(new App({ appId: app.app_id, privateKey, Octokit }).octokit.request)
  }

  function asApp(app: GithubAppRow): Promise<GithubCall> {
    const known = apps.get(app.id)
    if (known) return known
    const made = makeAppCall(app)
    apps.set(app.id, made)
    made.catch(() => apps.delete(app.id))
    return made
  }

  async function requestToken(
    app: GithubAppRow,
    installationId: number,
    scope: Scope | null,
  ): Promise<string> {
    const call = await asApp(app)
    const { data } = await call<{ token: string }>(
      'POST /app/installations/{installation_id}/access_tokens',
      {
        installation_id: installationId,
        ...(scope && { repository_ids: [scope.repositoryId], permissions: scope.permissions }),
      },
    )
    return data.token
  }

  function forgetOld() {
    for (const [key, entry] of tokens) if (entry.until <= now()) tokens.delete(key)
  }

  async function withToken(
    app: GithubAppRow,
    installationId: number,
    scope: Scope | null,
  ): Promise<GithubCall> {
    const key = `${app.id} ${installationId} ${scope ? JSON.stringify([scope.repositoryId, scope.permissions]) : ''}`
    const known = tokens.get(key)
    const entry =
      known && known.until > now()
        ? known
        : { token: requestToken(app, installationId, scope), until: now() + TOKEN_FRESH_MS }
    if (tokens.size > MOST_TOKENS) forgetOld()
    tokens.set(key, entry)
    const drop = () => tokens.get(key) === entry && tokens.delete(key)
    const token = await entry.token.catch((error: unknown) => {
      drop()
      throw error
    })
    const { Octokit } = await octokit(app.api_url)
    const call = toCall(new Octokit({ auth: token }).request)
    return async (route, parameters) => {
      try {
        return await call(route, parameters)
      } catch (error) {
        if ((error as { status?: unknown }).status === 401) drop()
        throw error
      }
    }
  }

  return {
    asApp,
    asInstallation: (app, scope) => withToken(app, scope.installationId, scope),
    asWholeInstallation: (app, installationId) => withToken(app, installationId, null),
    makeToken: (app, scope) => requestToken(app, scope.installationId, scope),
    async revoke(app, token) {
      const { Octokit } = await octokit(app.api_url)
      await new Octokit({ auth: token }).request('DELETE /installation/token')
    },
    async asNobody(apiUrl) {
      const { Octokit } = await octokit(apiUrl)
      return toCall(new Octokit().request)
    },
    forget(id) {
      apps.delete(id)
      for (const key of tokens.keys()) if (key.startsWith(`${id} `)) tokens.delete(key)
    },
  }
}

type OctokitRequest = (route: string, parameters?: Record<string, unknown>) => Promise<unknown>

/** Octokit knows the answer of every route by its name; here each caller says what it reads of it. */
const toCall =
  (request: OctokitRequest): GithubCall =>
  (route, parameters) =>
    request(route, parameters) as Promise<never>
