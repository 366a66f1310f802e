import { existsSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import sirv from 'sirv'
import { sendText } from './health.ts'

/** No inline code, no other origins, no frames: what an agent printed can never become part of the page. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
}

/** Serves the built dashboard; unknown paths get its page, which has its own routes. */
export function createDashboardFiles(directory: string | null) {
  if (directory === null || !existsSync(path.join(directory, 'index.html'))) {
    return (_: IncomingMessage, response: ServerResponse) =>
      sendText(response, 404, 'The dashboard is not built here. Build it with: npm run build\n')
  }
  const serve = sirv(directory, {
    single: true,
    etag: true,
    dev: false,
    setHeaders(response, pathname) {
      for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value)
      const isHashed = pathname.startsWith('/assets/')
      response.setHeader('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
  return (request: IncomingMessage, response: ServerResponse) =>
    serve(request, response, () => sendText(response, 404, 'There is nothing at this address.\n'))
}
