import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Db, findOpenGithubSetup, finishGithubSetup, type GithubSetup } from '@baton/db'
import { toId } from '@baton/protocol'
import type { Logger } from '@baton/service'
import { uuidv7 } from 'uuidv7'
import { hashSecret } from '../secrets/hash-secret.ts'
import { sealSecret } from '../secrets/seal.ts'
import type { GithubApi } from './github-api.ts'
import { githubManifest } from './manifest.ts'
import { readFailure } from './read-failure.ts'

type Deps = {
  db: Db
  api: GithubApi
  sealKey: Buffer
  publicUrl: () => string
  log: Logger
  now: () => number
  connected: (organizationId: string) => void
}

type Conversion = {
  id: number
  slug: string
  name: string
  html_url: string
  client_id: string
  client_secret: string
  webhook_secret: string | null
  pem: string
}

/**
 * The two pages of a set-up by manifest: `/github/setup?state=…` sends the browser to GitHub with what to make, and GitHub
 * sends it back to `/github/setup/callback` with a code for the keys. The state is known by its hash, for one use.
 */
export function createGithubSetupPages(deps: Deps) {
  return async function answerSetup(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (request.method !== 'GET') return sendPage(response, 405, 'Only a browser opens this page', '', [])
    const stateHash = hashSecret(url.searchParams.get('state') ?? '')
    const setup = await findOpenGithubSetup(deps.db, stateHash)
    if (!setup) {
      const text =
        'This link was used already or has expired. Begin again with <code>npx baton integration github setup</code> or on the dashboard.'
      return sendPage(response, 404, 'This set-up is over', text, [])
    }
    if (url.pathname === '/github/setup')
      return sendForm(response, setup, url.searchParams.get('state') ?? '', deps)
    await convert(deps, response, setup, stateHash, url.searchParams.get('code') ?? '')
  }
}

function sendForm(response: ServerResponse, setup: GithubSetup, state: string, deps: Deps): void {
  const path =
    setup.owner === null
      ? '/settings/apps/new'
      : `/organizations/${encodeURIComponent(setup.owner)}/settings/apps/new`
  const action = `${setup.web_url}${path}?state=${encodeURIComponent(state)}`
  const manifest = JSON.stringify(githubManifest(setup.app_name, deps.publicUrl()))
  const form = `<p>GitHub will be asked to make the App <b>${escapeHtml(setup.app_name)}</b> for the organization
    <b>${escapeHtml(setup.organization_name)}</b> of this relay. It gets only what Baton needs, and its keys go straight to the relay.</p>
    <form method="post" action="${escapeHtml(action)}"><input type="hidden" name="manifest" value="${escapeHtml(manifest)}">
    <button type="submit">Continue on ${escapeHtml(new URL(setup.web_url).host)}</button></form>`
  sendPage(response, 200, 'Connect GitHub', form, [new URL(setup.web_url).origin])
}

async function convert(
  deps: Deps,
  response: ServerResponse,
  setup: GithubSetup,
  stateHash: string,
  code: string,
): Promise<void> {
  if (!/^[A-Za-z0-9_-]{1,200}$/.test(code))
    return sendPage(response, 400, 'GitHub sent no code', 'Begin the set-up again.', [])
  const id = toId('githubApp', uuidv7())
  let made: Conversion
  try {
    const call = await deps.api.asNobody(setup.api_url)
    made = (await call<Conversion>('POST /app-manifests/{code}/conversions', { code })).data
  } catch (error) {
    const { why } = readFailure(error, deps.now())
    deps.log.warn({ why }, 'a GitHub App could not be taken over from its manifest')
    const text = `${escapeHtml(why)} If the App exists on GitHub by now, delete it there and begin again: its keys are shown once.`
    return sendPage(response, 502, 'The App could not be connected', text, [])
  }
  const seal = (secret: string) => sealSecret(deps.sealKey, id, secret)
  const isFinished = await finishGithubSetup(deps.db, stateHash, {
    id,
    appId: made.id,
    slug: made.slug,
    name: made.name,
    apiUrl: setup.api_url,
    webUrl: setup.web_url,
    htmlUrl: made.html_url,
    clientId: made.client_id,
    sealedPrivateKey: seal(made.pem),
    sealedWebhookSecret: seal(made.webhook_secret ?? ''),
    sealedClientSecret: seal(made.client_secret),
  })
  if (!isFinished)
    return sendPage(response, 409, 'This set-up was finished already', 'Nothing more is to be done.', [])
  deps.connected(setup.organization_id)
  const text = `<p><b>${escapeHtml(made.name)}</b> is connected. Now choose the repositories that it may see:</p>
    <p><a href="${escapeHtml(`${made.html_url}/installations/new`)}">Install it on GitHub</a></p>
    <p><a href="/integrations/github">Back to Baton</a></p>`
  sendPage(response, 200, 'GitHub is connected', text, [])
}

function sendPage(
  response: ServerResponse,
  status: number,
  title: string,
  body: string,
  formTargets: string[],
): void {
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
    <title>${escapeHtml(title)} · Baton</title><style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui;max-width:36rem;margin:4rem auto;padding:0 1rem}
    button{font:inherit;padding:.6rem 1rem}</style></head><body><main><h1>${escapeHtml(title)}</h1>${body}</main></body></html>`
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'content-security-policy': `default-src 'none'; style-src 'unsafe-inline'; form-action ${formTargets.length > 0 ? `'self' ${formTargets.join(' ')}` : "'none'"}; frame-ancestors 'none'; base-uri 'none'`,
  })
  response.end(html)
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeHtml = (text: string) =>
  text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
