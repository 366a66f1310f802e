import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Db } from '@baton/db'
import { CAUSE_HEADER, GITHUB_BODY_BYTES, INTAKE_BODY_BYTES, readCause, toId } from '@baton/protocol'
import type { Logger } from '@baton/service'
import { dummyVerify } from '@baton/webhooks'
import { uuidv7obj } from 'uuidv7'
import { isBacklogFull } from '../deliveries/backlog.ts'
import { type Problem, sendProblem } from '../http/problem.ts'
import type { PlannedEvent } from '../jobs/plan-delivery.ts'
import { type Ignored, planEvent } from '../jobs/plan-event.ts'
import { withinTime } from '../live/within-time.ts'
import { findLoop, trueCause } from './find-loop.ts'
import { challengeOf, readPayload } from './hook-payload.ts'
import type { HookRates } from './hook-rates.ts'
import type { HookTarget, HookTargets } from './hook-targets.ts'
import type { Intake } from './intake.ts'
import { readBody } from './read-body.ts'
import { redactHeaders } from './redact-headers.ts'
import { REFUSALS } from './refusals.ts'
import type { RefusedRequests } from './refused-requests.ts'
import { type VerifiedRequest, verifyRequest } from './verify-request.ts'

type RefuseOptions = { close?: boolean; target?: HookTarget | null }

const BODY_TIMEOUT_MS = 15_000
/**
 * Slack gives three seconds; a request that was not stored by then is answered 503 and may be repeated. All that the
 * database is asked for one request has to be over by then, whatever a sender takes for its body.
 */
const STORE_LIMIT_MS = 2_500

export type HookReceiver = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>

/**
 * `POST /hooks/{path}`: size cap, signature over the raw bytes, deduplicate, match, commit, then 202. Nothing is parsed
 * before its signature is right and nothing is answered before it is stored. An unknown path costs what a known one
 * with a wrong signature costs.
 */
export function createHookReceiver(deps: {
  db: Db
  targets: HookTargets
  intake: Intake
  refused: RefusedRequests
  rates: HookRates
  log: Logger
  now: () => number
  count: (answer: number) => void
}): HookReceiver {
  return async function receiveHook(request, response, path) {
    const refuse = (problem: Problem, { close = false, target }: RefuseOptions = {}) => {
      deps.count(problem.status)
      if (target) deps.refused.note({ id: target.trigger_id, path }, request, problem)
      sendProblem(response, problem, { close })
    }
    if (request.method !== 'POST') return refuse(REFUSALS.method)
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') return refuse(REFUSALS.encoded, { close: true })

    const askedAt = performance.now()
    let target: HookTarget | null
    try {
      target = await withinTime(deps.targets.find(path), STORE_LIMIT_MS)
    } catch (error) {
      deps.log.warn({ error }, 'a webhook was refused: its job could not be read')
      return refuse(REFUSALS.unavailable)
    }
    const foundMs = performance.now() - askedAt
    const waitS = deps.rates.take(target ? path : null, deps.now())
    if (waitS > 0) return refuse({ ...REFUSALS.too_many, retryAfterS: waitS }, { close: true, target })
    const maxBytes = target?.scheme === 'github' ? GITHUB_BODY_BYTES : INTAKE_BODY_BYTES
    const read = await readBody(request, { maxBytes, timeoutMs: BODY_TIMEOUT_MS })
    if (!read.ok) return refuse(REFUSALS[read.reason], { close: true, target })
    if (!target) {
      dummyVerify(read.body)
      return refuse(REFUSALS.unknown_path)
    }
    const verified = verifyRequest(target, request, read.body, deps.now())
    if ('problem' in verified) return refuse(verified.problem, { target })
    const payload = readPayload(request, target, verified.body)
    if ('problem' in payload) return refuse(payload.problem, { target })

    const challenge = challengeOf(target, payload.value)
    try {
      const planned = plan(deps.db, target, request, verified, payload.value)
      const { event, answer } = await withinTime(store(deps.intake, planned), STORE_LIMIT_MS - foundMs)
      if (verified.idNamesBody && answer.bodyHash !== event.bodyHash)
        return refuse(REFUSALS.conflict, { target })
      deps.count(challenge === null ? 202 : 200)
      const { eventId, deliveries } = answer
      if (challenge !== null) return sendJson(response, 200, { challenge })
      sendJson(response, 202, { eventId, deliveries: deliveries.map((one) => one.id) })
    } catch (error) {
      if (isBacklogFull(error)) return refuse(REFUSALS.backlog, { target })
      deps.log.warn({ error }, 'a webhook was answered 503: it could not be stored')
      refuse(REFUSALS.unavailable)
    }
  }
}

function sendJson(response: ServerResponse, status: number, value: object) {
  const body = JSON.stringify(value)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}

async function store(intake: Intake, planned: Promise<PlannedEvent>) {
  const event = await planned
  return { event, answer: await intake.accept(event) }
}

/** Asks the database only about requests that say they were caused by a run. */
async function plan(
  db: Db,
  target: HookTarget,
  request: IncomingMessage,
  verified: VerifiedRequest,
  payload: unknown,
): Promise<PlannedEvent> {
  const said = readCause(request.headersDistinct[CAUSE_HEADER]?.[0])
  const cause = said && (await trueCause(db, target.organization_id, said))
  const isCheck = challengeOf(target, payload) !== null
  return planEvent(target, {
    id: toId('event', uuidv7obj().toHex()),
    source: 'webhook',
    payload,
    body: verified.body,
    bodyHash: verified.bodyHash,
    contentType: request.headers['content-type'] ?? null,
    headers: redactHeaders(request.headersDistinct),
    dedupKey: verified.dedupKey,
    verification: verified.verification,
    cause,
    ignored: isCheck ? ADDRESS_CHECK : await findLoop(db, target, cause),
  })
}

const ADDRESS_CHECK: Ignored = {
  reason: 'filtered',
  message: 'The sender checked this address and was answered.',
}
