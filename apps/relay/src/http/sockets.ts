import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { CLOSE_REVOKED, CLOSE_TOKEN_EXPIRED, SOCKET_PAYLOAD_BYTES } from '@baton/protocol'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { type WebSocket, WebSocketServer } from 'ws'
import { appRouter } from '../api/app-router.ts'
import type { ApiContext, RelayParts } from '../api/context.ts'
import { comesFromOwnPages, findPrincipal } from '../api/find-principal.ts'
import { logUnforeseen } from '../api/trpc.ts'

const RESTARTING = 1012
/** Clients open their new socket first and then leave; whoever has not by then is closed. */
const MOVE_AWAY_MS = 1_000

export type Sockets = {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  count(): number
  /** Asks every client to open a new socket elsewhere first, then closes. */
  stop(): Promise<void>
}

/** tRPC over WebSocket. Sockets whose key, token or session was revoked, or whose token expired, are closed. */
export function createSockets(parts: RelayParts): Sockets {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: SOCKET_PAYLOAD_BYTES,
    perMessageDeflate: false,
  })
  /** Sockets by what they rest on: a machine's id, or the hash of a session or token. */
  const byCredential = new Map<string, Set<WebSocket>>()

  const handler = applyWSSHandler({
    wss: server,
    router: appRouter,
    // A pong waits behind the data in front of it, so a slow but healthy client needs time.
    onError: ({ error, path }) => logUnforeseen(parts.log, error, path),
    keepAlive: { enabled: true, pingMs: 30_000, pongWaitMs: 20_000 },
    async createContext({ req, res, info }): Promise<ApiContext> {
      const token = info.connectionParams?.token
      const deps = {
        db: parts.connection.db,
        keys: parts.keys,
        publicOrigin: parts.config.publicUrl,
        now: parts.now,
      }
      const principal = await findPrincipal(deps, req, typeof token === 'string' ? token : null)
      if (principal.kind === 'user') remember(principal.credential.hash, res)
      if (principal.kind === 'machine') {
        remember(principal.machineId, res)
        const timer = setTimeout(
          () => res.close(CLOSE_TOKEN_EXPIRED, 'token expired'),
          principal.expiresAt - parts.now(),
        )
        timer.unref()
        res.once('close', () => clearTimeout(timer))
      }
      return { ...parts, principal, socket: res, request: req, requestId: randomUUID(), setCookie: () => {} }
    },
  })
  const stopHearing = parts.hints.on('revoked', (credential) => {
    for (const socket of byCredential.get(credential) ?? []) socket.close(CLOSE_REVOKED, 'revoked')
  })

  function remember(credential: string, socket: WebSocket) {
    const sockets = byCredential.get(credential) ?? new Set()
    byCredential.set(credential, sockets.add(socket))
    socket.once('close', () => {
      sockets.delete(socket)
      if (sockets.size === 0) byCredential.delete(credential)
    })
  }

  return {
    upgrade(request, socket, head) {
      // Node programs send no Origin and authenticate with a token; a page must be one of our own.
      if (request.headers.origin !== undefined && !comesFromOwnPages(request, parts.config.publicUrl)) {
        socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
        return
      }
      server.handleUpgrade(request, socket, head, (webSocket) =>
        server.emit('connection', webSocket, request),
      )
    },
    count: () => server.clients.size,
    async stop() {
      stopHearing()
      handler.broadcastReconnectNotification()
      const since = performance.now()
      while (server.clients.size > 0 && performance.now() - since < MOVE_AWAY_MS) await wait(20)
      for (const client of server.clients) client.close(RESTARTING, 'the relay is restarting')
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      const timer = setTimeout(() => {
        for (const client of server.clients) client.terminate()
      }, 1_000)
      await Promise.race([closed.promise, wait(2_000, undefined, { ref: false })])
      clearTimeout(timer)
    },
  }
}
