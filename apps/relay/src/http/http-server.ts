import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { BatonError } from '@baton/protocol'
import type { Service } from '@baton/service'
import { createHTTPHandler } from '@trpc/server/adapters/standalone'
import { appRouter } from '../api/app-router.ts'
import type { ApiContext, RelayParts } from '../api/context.ts'
import { comesFromOwnPages, findPrincipal } from '../api/find-principal.ts'
import { logUnforeseen } from '../api/trpc.ts'
import { createGithubReceiver } from '../github/receive-github.ts'
import { createGithubSetupPages } from '../github/setup-pages.ts'
import { createHookRates } from '../inbox/hook-rates.ts'
import { createHookReceiver } from '../inbox/receive-hook.ts'
import { createRest } from '../rest/create-rest.ts'
import { createDashboardFiles } from './dashboard-files.ts'
import { answerLive, answerReady, sendText } from './health.ts'
import type { Surface } from './metrics.ts'
import { sendProblem } from './problem.ts'
import { createQueueFiguresReader } from './read-queue-figures.ts'
import { createSockets } from './sockets.ts'

const API_BODY_BYTES = 2 * 1024 * 1024
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** The relay's one port. `port()` is the real one once it listens. */
export function createHttpServer(
  parts: RelayParts & { deleted(): Record<string, number> },
): Service & { port(): number } {
  const { metrics } = parts
  const readFigures = createQueueFiguresReader(parts.connection.db, parts.log)
  const sockets = createSockets(parts)
  const answerRest = createRest(parts)
  const dashboard = createDashboardFiles(parts.config.dashboardDir)
  const rates = createHookRates(parts.config.hookRate)
  const receiveHook = createHookReceiver({
    ...parts,
    db: parts.connection.db,
    rates,
    count: (status) => metrics.countHook(status),
  })

  const receiveGithub = createGithubReceiver({
    db: parts.connection.db,
    apps: parts.github.apps,
    rates,
    now: parts.now,
    log: parts.log,
    count: (status) => metrics.countHook(status),
    stored: (event) => parts.github.stored(event),
  })
  const answerGithubSetup = createGithubSetupPages({
    db: parts.connection.db,
    api: parts.github.api,
    sealKey: parts.keys.seal,
    publicUrl: () => parts.config.publicUrl,
    log: parts.log,
    now: parts.now,
    connected: () => {
      parts.github.wake()
      parts.hints.send('config', 'github')
    },
  })

  const trpc = createHTTPHandler({
    router: appRouter,
    basePath: '/trpc/',
    maxBodySize: API_BODY_BYTES,
    // A query whose input does not fit into an address (a payload to rehearse) comes as a POST.
    allowMethodOverride: true,
    onError: ({ error, path }) => logUnforeseen(parts.log, error, path),
    async createContext({ req, res }): Promise<ApiContext> {
      const deps = {
        db: parts.connection.db,
        keys: parts.keys,
        publicOrigin: parts.config.publicUrl,
        now: parts.now,
      }
      return {
        ...parts,
        principal: await findPrincipal(deps, req, null),
        socket: null,
        request: req,
        requestId: randomUUID(),
        setCookie: (value) => void res.appendHeader('set-cookie', value),
      }
    },
  })

  async function route(request: IncomingMessage, response: ServerResponse) {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    if (path.startsWith('/hooks/')) return timeHook(response, receiveHook(request, response, path.slice(7)))
    if (path.startsWith('/trpc/')) return answerTrpc(request, counted('trpc', response))
    if (path.startsWith('/api/')) return answerRest(request, counted('rest', response))
    switch (path) {
      case '/github/webhook':
        return timeHook(response, receiveGithub(request, response))
      case '/github/setup':
      case '/github/setup/callback':
        return answerGithubSetup(request, response)
      case '/livez':
        return answerLive(response)
      case '/readyz':
        return answerReady(response, parts.connection.db)
      case '/metrics':
        return sendText(
          response,
          200,
          metrics.render({
            sockets: sockets.count(),
            runners: parts.sessions.count(),
            deleted: parts.deleted(),
            figures: await readFigures(),
          }),
          METRICS_TYPE,
        )
      default:
        return dashboard(request, counted('pages', response))
    }
  }

  async function timeHook(response: ServerResponse, answered: Promise<void>) {
    const begunAt = performance.now()
    await answered
    if (response.statusCode < 300) metrics.timeHook((performance.now() - begunAt) / 1000)
  }

  function counted(surface: Surface, response: ServerResponse): ServerResponse {
    return response.once('finish', () => metrics.countAnswer(surface, response.statusCode))
  }

  function answerTrpc(request: IncomingMessage, response: ServerResponse) {
    response.setHeader('cache-control', 'no-store')
    // JSON only and from our own pages only: no form of another site can make a signed-in browser change something.
    const isForeign =
      request.headers.origin !== undefined && !comesFromOwnPages(request, parts.config.publicUrl)
    if (isForeign && request.headers.authorization === undefined) {
      return sendProblem(response, {
        status: 403,
        type: 'foreign-page',
        title: 'This page may not call the relay',
        detail: `Open ${parts.config.publicUrl} instead.`,
      })
    }
    trpc(request, response)
  }

  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      parts.log.error({ error, url: request.url?.split('?')[0] }, 'a request failed')
      sendProblem(response, {
        status: 500,
        type: 'internal',
        title: 'The relay failed',
        detail: 'Its log has the details.',
      })
    })
  })
  server.headersTimeout = 10_000
  server.requestTimeout = 60_000
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    if ((request.url ?? '').split('?')[0] === '/trpc') sockets.upgrade(request, socket, head)
    else socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  })

  return {
    port() {
      const address = server.address()
      return typeof address === 'object' && address !== null ? address.port : parts.config.port
    },
    async start() {
      const listening = Promise.withResolvers<void>()
      server.once('error', listening.reject)
      server.listen(parts.config.port, parts.config.host, () => listening.resolve())
      await listening.promise.catch((cause: NodeJS.ErrnoException) => {
        throw listenError(cause, parts.config.port)
      })
    },
    async stop() {
      await sockets.stop()
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), 2_000)
      if (server.listening) await closed.promise
      clearTimeout(timer)
    },
  }
}

function listenError(cause: NodeJS.ErrnoException, port: number): BatonError {
  if (cause.code === 'EADDRINUSE') {
    return new BatonError(
      'conflict',
      `Port ${port} is in use. Stop the program that has it (perhaps another Baton), or choose another with BATON_PORT.`,
      { cause },
    )
  }
  return new BatonError('unavailable', `The relay cannot listen on port ${port}: ${cause.message}.`, {
    cause,
  })
}
