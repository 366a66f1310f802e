import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { answerAppRoute } from './app-routes.ts'
import { authenticateCaller } from './authenticate-caller.ts'
import { answerGit } from './git-over-http.ts'
import { type GithubAnswer, GithubRefusal, type GithubRequest } from './github-request.ts'
import { createGithubWeather, type GithubWeather } from './github-weather.ts'
import { addApp, createGithubWorld, type GithubWorld } from './github-world.ts'
import { answerRepositoryRoute } from './repository-routes.ts'
import { createWebhookSender, type WebhookSender } from './send-github-webhook.ts'

export interface StandInGithub extends AsyncDisposable {
  /** The web pages and git; the API is at `apiUrl`. */
  url: string
  apiUrl: string
  world: GithubWorld
  weather: GithubWeather
  webhooks: WebhookSender
  /** Every call of the API that changed something, in order: `POST /repos/…`. */
  writes(): string[]
  /** Shifts GitHub's own clock. */
  setClock(offsetMs: number): void
  stop(): Promise<void>
}

/**
 * A GitHub on loopback: it checks App JWTs, tokens with their repositories and permissions, and rate limits; keeps
 * comments, reactions, checks and pulls; takes pushes; and sends signed webhooks. Answers can be lost after their effect.
 */
export async function startStandInGithub(options: { port?: number } = {}): Promise<StandInGithub> {
  let offsetMs = 0
  const world = createGithubWorld(() => Date.now() + offsetMs)
  const weather = createGithubWeather()
  const webhooks = createWebhookSender(world)
  const writes: string[] = []
  const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const method = request.method ?? 'GET'
    if (url.pathname.includes('.git/')) {
      if (weather.meet(method, url.pathname)?.kind === 'drop') return void response.destroy()
      if (await answerGit(world, request, response)) return
    }
    const body = await text(request)
    if (!url.pathname.startsWith('/api/v3/')) return answerPage(world, method, url, body, response)
    const path = url.pathname.slice('/api/v3'.length)
    const fault = weather.meet(method, path)
    if (fault?.kind === 'drop') return void response.destroy()
    if (fault?.kind === 'delay') await wait(fault.ms ?? 0)
    const answered =
      fault && REFUSALS[fault.kind] ? REFUSALS[fault.kind] : await answerApi(request, path, url, body)
    if (fault?.kind === 'lose') return void response.destroy()
    sendJson(response, answered ?? { status: 500 }, world.now())
  }

  async function answerApi(
    { method = 'GET', headers }: IncomingMessage,
    path: string,
    url: URL,
    body: string,
  ): Promise<GithubAnswer> {
    try {
      const request: GithubRequest = {
        world,
        method,
        path,
        query: url.searchParams,
        parts: path.slice(1).split('/'),
        body: body === '' ? {} : (JSON.parse(body) as Record<string, unknown>),
        caller: authenticateCaller(world, headers.authorization),
        origin: `${origin()}/api/v3`,
      }
      return await serve(request)
    } catch (error) {
      if (!(error instanceof GithubRefusal)) throw error
      return { status: error.status, body: { message: error.message }, headers: error.headers }
    }
  }

  async function serve(request: GithubRequest): Promise<GithubAnswer> {
    if (request.method !== 'GET') writes.push(`${request.method} ${request.path}`)
    const answered =
      answerAppRoute(request, (app, delivery) => webhooks.redeliver(app, delivery)) ??
      (await answerRepositoryRoute(request))
    if (!answered) throw new GithubRefusal(404, `Not Found: ${request.method} ${request.path}`)
    return answered
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) sendJson(response, { status: 500, body: { message: String(error) } })
    })
  })
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const stop = async () => {
    await webhooks.idle()
    if (!server.listening) return
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  return {
    url: origin(),
    apiUrl: `${origin()}/api/v3`,
    world,
    weather,
    webhooks,
    writes: () => [...writes],
    setClock: (ms) => {
      offsetMs = ms
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

const REFUSALS: Partial<Record<string, GithubAnswer>> = {
  fail: { status: 502, body: { message: 'Server Error' } },
  rate_limit: {
    status: 403,
    body: { message: 'API rate limit exceeded for installation.' },
    headers: { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '0' },
  },
  secondary: {
    status: 403,
    body: {
      message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
    },
    headers: { 'retry-after': '1' },
  },
}

function sendJson(response: ServerResponse, { status, body, headers }: GithubAnswer, now = Date.now()): void {
  const rate = {
    'x-ratelimit-limit': '5000',
    'x-ratelimit-remaining': '4999',
    'x-ratelimit-reset': resetAt(),
  }
  response.writeHead(status, {
    ...rate,
    date: new Date(now).toUTCString(),
    ...headers,
    ...(body !== undefined && { 'content-type': 'application/json; charset=utf-8' }),
  })
  response.end(body === undefined ? undefined : JSON.stringify(body))
}

const resetAt = () => String(Math.floor(Date.now() / 1000) + 1)

/** GitHub's page for a new App: it takes the manifest that a browser posts and sends the browser back with a code. */
function answerPage(
  world: GithubWorld,
  method: string,
  url: URL,
  body: string,
  response: ServerResponse,
): void {
  const isForm = /^\/(settings|organizations\/[^/]+\/settings)\/apps\/new$/.test(url.pathname)
  if (method !== 'POST' || !isForm) return void response.writeHead(404).end()
  const manifest = JSON.parse(new URLSearchParams(body).get('manifest') ?? '{}') as {
    name?: string
    redirect_url: string
    hook_attributes: { url: string }
    default_permissions: Record<string, string>
    default_events: string[]
  }
  const slug = (manifest.name ?? 'app').toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  const app = addApp(world, {
    slug,
    name: manifest.name ?? 'app',
    hookUrl: manifest.hook_attributes.url,
    permissions: manifest.default_permissions,
    events: manifest.default_events,
  })
  const code = randomBytes(20).toString('hex')
  world.manifestCodes.set(code, app)
  const back = new URL(manifest.redirect_url)
  back.searchParams.set('code', code)
  back.searchParams.set('state', url.searchParams.get('state') ?? '')
  response.writeHead(302, { location: back.href }).end()
}
