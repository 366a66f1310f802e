import { randomBytes } from 'node:crypto'
import { callerApp, type GithubAnswer, GithubRefusal, type GithubRequest, paged } from './github-request.ts'
import type { HookDelivery, Installation, StandInApp } from './github-world.ts'

const TOKEN_LIFE_MS = 3_600_000

type Redeliver = (app: StandInApp, delivery: HookDelivery) => void

/** What an App asks about itself, and what anybody may ask about Apps and users. Null: none of these. */
export function answerAppRoute(request: GithubRequest, redeliver: Redeliver): GithubAnswer | null {
  const { method, path, world, parts } = request
  const route = `${method} ${path}`
  if (/^POST \/app-manifests\/[^/]+\/conversions$/.test(route)) return convertManifest(request)
  if (route === 'GET /app') return { status: 200, body: appView(request, callerApp(request)) }
  if (route === 'GET /app/hook/config') {
    const app = callerApp(request)
    return {
      status: 200,
      body: { url: app.hookUrl, content_type: 'json', insecure_ssl: '0', secret: '********' },
    }
  }
  if (route === 'GET /app/installations') return listInstallations(request)
  if (/^GET \/app\/installations\/\d+$/.test(route))
    return { status: 200, body: installationView(ownInstallation(request)) }
  if (/^POST \/app\/installations\/\d+\/access_tokens$/.test(route)) return makeToken(request)
  if (route === 'GET /app/hook/deliveries') return listDeliveries(request)
  if (/^POST \/app\/hook\/deliveries\/\d+\/attempts$/.test(route)) {
    const app = callerApp(request)
    const delivery = app.deliveries.find((one) => one.id === Number(parts[3]))
    if (!delivery) throw new GithubRefusal(404, 'Not Found')
    redeliver(app, delivery)
    return { status: 202, body: {} }
  }
  if (route === 'DELETE /installation/token') {
    if (request.caller.kind !== 'installation') throw new GithubRefusal(401, 'Bad credentials')
    request.caller.token.revoked = true
    return { status: 204 }
  }
  if (route === 'GET /installation/repositories') return listOwnRepositories(request)
  if (/^GET \/repos\/[^/]+\/[^/]+\/installation$/.test(route)) {
    const app = callerApp(request)
    const name = `${parts[1]}/${parts[2]}`
    const own = world.installations.find(
      (one) =>
        one.app === app &&
        one.repositories.some((repository) => `${repository.owner}/${repository.name}` === name),
    )
    if (!own) throw new GithubRefusal(404, 'Not Found')
    return { status: 200, body: installationView(own) }
  }
  if (/^GET \/apps\/[^/]+$/.test(route)) {
    const app = world.apps.find((one) => one.slug === parts[1])
    if (!app) throw new GithubRefusal(404, 'Not Found')
    return { status: 200, body: appView(request, app) }
  }
  if (/^GET \/users?\/[^/]+$/.test(route)) {
    const user = world.users.find((one) =>
      parts[0] === 'user' ? one.id === Number(parts[1]) : one.login === decodeURIComponent(parts[1] ?? ''),
    )
    if (!user) throw new GithubRefusal(404, 'Not Found')
    return { status: 200, body: user }
  }
  return null
}

function convertManifest({ world, parts, origin }: GithubRequest): GithubAnswer {
  const code = parts[1] ?? ''
  const app = world.manifestCodes.get(code)
  world.manifestCodes.delete(code)
  if (!app) throw new GithubRefusal(404, 'Not Found')
  return {
    status: 201,
    body: {
      ...publicView(app, origin),
      client_id: `Iv1.${app.id}`,
      client_secret: app.clientSecret,
      webhook_secret: app.webhookSecret,
      pem: app.privateKey,
    },
  }
}

function appView({ origin }: GithubRequest, app: StandInApp) {
  return publicView(app, origin)
}

const publicView = (app: StandInApp, origin: string) => ({
  id: app.id,
  slug: app.slug,
  name: app.name,
  html_url: `${origin}/apps/${app.slug}`,
  external_url: origin,
  permissions: app.permissions,
  events: app.events,
})

const installationView = (installation: Installation) => ({
  id: installation.id,
  app_id: installation.app.id,
  account: installation.account,
  repository_selection: 'selected',
  permissions: installation.permissions,
  events: installation.app.events,
  html_url: `https://github.test/settings/installations/${installation.id}`,
  suspended_at: null,
})

function listInstallations(request: GithubRequest): GithubAnswer {
  const app = callerApp(request)
  const own = request.world.installations.filter((one) => one.app === app)
  return paged(request, own.map(installationView))
}

function ownInstallation(request: GithubRequest): Installation {
  const app = callerApp(request)
  const id = Number(request.parts[2])
  const installation = request.world.installations.find((one) => one.id === id && one.app === app)
  if (!installation) throw new GithubRefusal(404, 'Not Found')
  return installation
}

function makeToken(request: GithubRequest): GithubAnswer {
  const installation = ownInstallation(request)
  const { world, body } = request
  const asked = body.repository_ids as number[] | undefined
  const all = installation.repositories.map((one) => one.id)
  if (asked?.some((id) => !all.includes(id)))
    throw new GithubRefusal(422, 'There is at least one repository that does not exist or is not accessible')
  const permissions = (body.permissions as Record<string, string> | undefined) ?? installation.permissions
  for (const [name, level] of Object.entries(permissions)) {
    const granted = installation.permissions[name]
    if (granted !== 'write' && granted !== level)
      throw new GithubRefusal(422, 'The permissions requested are not granted to this installation.')
  }
  const token = {
    token: `ghs_${randomBytes(18).toString('hex')}`,
    installation,
    repositoryIds: asked ?? all,
    permissions: { metadata: 'read', ...permissions },
    expiresAt: world.now() + TOKEN_LIFE_MS,
    revoked: false,
  }
  world.tokens.push(token)
  return {
    status: 201,
    body: {
      token: token.token,
      expires_at: new Date(token.expiresAt).toISOString(),
      permissions: token.permissions,
      repository_selection: asked ? 'selected' : 'all',
    },
  }
}

/** Newest first, paged by a cursor, as GitHub does: without the payloads. */
function listDeliveries(request: GithubRequest): GithubAnswer {
  const app = callerApp(request)
  const size = Math.min(Number(request.query.get('per_page') ?? 30), 100)
  const before = Number(request.query.get('cursor') ?? Number.MAX_SAFE_INTEGER)
  const all = app.deliveries.filter((one) => one.id < before).toSorted((a, b) => b.id - a.id)
  const page = all.slice(0, size).map(({ body: _, ...delivery }) => delivery)
  const last = page.at(-1)
  const headers: Record<string, string> =
    all.length > size && last
      ? { link: `<${request.origin}${request.path}?per_page=${size}&cursor=${last.id}>; rel="next"` }
      : {}
  return { status: 200, body: page, headers }
}

function listOwnRepositories(request: GithubRequest): GithubAnswer {
  const { caller, world } = request
  if (caller.kind !== 'installation') throw new GithubRefusal(401, 'Bad credentials')
  const own = world.repositories.filter((one) => caller.token.repositoryIds.includes(one.id))
  return paged(
    request,
    own.map((one) => ({
      id: one.id,
      full_name: `${one.owner}/${one.name}`,
      private: true,
      default_branch: one.defaultBranch,
      html_url: `https://github.test/${one.owner}/${one.name}`,
    })),
    (repositories) => ({ total_count: own.length, repositories }),
  )
}
