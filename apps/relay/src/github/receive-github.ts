import { hash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Db, type StoredGithubEvent, storeGithubEvent } from '@baton/db'
import { GITHUB_BODY_BYTES, toId } from '@baton/protocol'
import type { Logger } from '@baton/service'
import { dummyVerify, githubEventMatchesBody, parseJsonBody, verifySignature } from '@baton/webhooks'
import { uuidv7 } from 'uuidv7'
import { type Problem, sendProblem } from '../http/problem.ts'
import type { HookRates } from '../inbox/hook-rates.ts'
import { readBody } from '../inbox/read-body.ts'
import { redactHeaders } from '../inbox/redact-headers.ts'
import { REFUSALS } from '../inbox/refusals.ts'
import { withinTime } from '../live/within-time.ts'
import type { KnownApp, KnownApps } from './known-apps.ts'
import { readNames } from './read-event.ts'

const BODY_TIMEOUT_MS = 15_000
/** GitHub always names the App; by hand, with a few Apps, it may be left out. */
const MOST_UNNAMED = 20
/** GitHub gives ten seconds and does not send again by itself. */
const STORE_LIMIT_MS = 5_000

const NO_APP: Problem = {
  ...REFUSALS.signature,
  type: 'unknown-github-app',
  title: 'No GitHub App is connected here that signed this',
  detail:
    'The signature fits no connected App. Connect it with `baton integration github setup`, or set the same webhook secret on both sides.',
}

const GITHUB_ADDRESS = '/github/webhook'

/**
 * `POST /github/webhook`: size cap, signature over the raw bytes, the event's name against the body, stored once under
 * both of its keys, then 202. Which jobs it fires is decided afterwards, because GitHub must be asked about its actor.
 */
export function createGithubReceiver(deps: {
  db: Db
  apps: KnownApps
  rates: HookRates
  now: () => number
  log: Logger
  count: (status: number) => void
  stored: (event: StoredGithubEvent) => void
}) {
  return async function receiveGithub(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refuse = (problem: Problem, close = false) => {
      deps.count(problem.status)
      sendProblem(response, problem, { close })
    }
    if (request.method !== 'POST') return refuse(REFUSALS.method)
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') return refuse(REFUSALS.encoded, true)
    // All Apps share one bucket: which of them a request is for is not known before its signature is right.
    const waitS = deps.rates.take(GITHUB_ADDRESS, deps.now())
    if (waitS > 0) return refuse({ ...REFUSALS.too_many, retryAfterS: waitS }, true)
    const read = await readBody(request, { maxBytes: GITHUB_BODY_BYTES, timeoutMs: BODY_TIMEOUT_MS })
    if (!read.ok) return refuse(REFUSALS[read.reason], true)
    const signer = await findSigner(deps.apps, request, read.body).catch((error: unknown) => {
      deps.log.warn({ error }, 'a webhook of GitHub was refused: the Apps could not be read')
      return 'unavailable' as const
    })
    if (signer === 'unavailable') return refuse(REFUSALS.unavailable)
    if ('problem' in signer) return refuse(signer.problem)
    const checked = checkBody(request, read.body)
    if ('problem' in checked) return refuse(checked.problem)
    const bodyHash = hash('sha256', read.body)
    const guid = signer.guid ?? `body-${bodyHash}`
    try {
      const stored = await withinTime(
        store(deps.db, signer.app, request, { ...checked, guid, bodyHash, body: read.body }),
        STORE_LIMIT_MS,
      )
      if (stored.bodyHash !== bodyHash) return refuse(REFUSALS.conflict)
      deps.count(202)
      deps.stored(stored)
      const body = JSON.stringify({ eventId: stored.eventId, deliveries: [] })
      response.writeHead(202, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      })
      response.end(body)
    } catch (error) {
      deps.log.warn({ error }, 'a webhook of GitHub was answered 503: it could not be stored')
      refuse(REFUSALS.unavailable)
    }
  }
}

/**
 * The App whose secret signed the body. The header that names the App only says whose secret to try: without it, and with
 * few Apps here, every App's is tried. Among many it is needed, so that a forged body costs one HMAC and not one for each.
 */
async function findSigner(
  apps: KnownApps,
  request: IncomingMessage,
  rawBody: Buffer,
): Promise<{ app: KnownApp; guid: string | null } | { problem: Problem }> {
  const all = await apps.list()
  const named = request.headersDistinct['x-github-hook-installation-target-id']
  const candidates =
    named?.length === 1
      ? all.filter((app) => String(app.app_id) === named[0])
      : all.length <= MOST_UNNAMED
        ? all
        : []
  if (candidates.length === 0) {
    dummyVerify(rawBody)
    return { problem: NO_APP }
  }
  let detail: string = NO_APP.detail
  for (const app of candidates) {
    const verified = verifySignature({
      scheme: 'github',
      secrets: [app.webhookSecret],
      headers: request.headersDistinct,
      rawBody,
      nowMs: 0,
    })
    if (verified.ok) return { app, guid: verified.deliveryId }
    detail = verified.message
  }
  return { problem: { ...REFUSALS.signature, detail } }
}

function checkBody(
  request: IncomingMessage,
  body: Buffer,
): { name: string; payload: unknown } | { problem: Problem } {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json')
    return {
      problem: {
        ...REFUSALS.encoded,
        type: 'wrong-content-type',
        title: 'Only JSON is accepted',
        detail: "Choose the content type application/json in the App's webhook settings.",
      },
    }
  const names = request.headersDistinct['x-github-event'] ?? []
  const name = names[0] ?? ''
  if (names.length !== 1 || !/^[a-z_]{1,64}$/.test(name)) return { problem: REFUSALS.wrong_event }
  const json = parseJsonBody(body)
  if (!json.ok) return { problem: { ...REFUSALS.bad_json, detail: json.message } }
  if (!githubEventMatchesBody(name, json.value)) return { problem: REFUSALS.wrong_event }
  return { name, payload: json.value }
}

async function store(
  db: Db,
  app: KnownApp,
  request: IncomingMessage,
  event: { name: string; payload: unknown; guid: string; bodyHash: string; body: Buffer },
): Promise<StoredGithubEvent> {
  const { action, installationId, repository } = readNames(event.payload)
  for (;;) {
    const stored = await storeGithubEvent(db, {
      id: toId('event', uuidv7()),
      organizationId: app.organization_id,
      githubAppId: app.id,
      guid: event.guid,
      name: event.name,
      action,
      installationId,
      repository,
      bodyHash: event.bodyHash,
      contentType: request.headers['content-type'] ?? null,
      headers: redactHeaders(request.headersDistinct),
      body: event.body,
    })
    if (stored) return stored
  }
}
