import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { GITHUB_BODY_BYTES, INTAKE_BODY_BYTES, SIGNATURE_TOLERANCE_MS, toId } from '@baton/protocol'
import type { Logger } from '@baton/service'
import { dummyVerify, githubEventMatchesBody, parseJsonBody, verifySignature } from '@baton/webhooks'
import { uuidv7 } from 'uuidv7'
import { type Problem, sendProblem } from '../http/problem.ts'
import { deliveryRules } from '../jobs/delivery-rules.ts'
import { type PlannedEvent, planDelivery } from '../jobs/plan-delivery.ts'
import { renderPrompt } from '../jobs/render-prompt.ts'
import { withinTime } from '../live/within-time.ts'
import { deduplicationKey } from './deduplication-key.ts'
import type { HookTarget, HookTargets } from './hook-targets.ts'
import type { Intake } from './intake.ts'
import { readBody } from './read-body.ts'
import { redactHeaders } from './redact-headers.ts'
import { REFUSALS } from './refusals.ts'

const BODY_TIMEOUT_MS = 15_000
/** Slack gives three seconds; a request that was not stored by then is answered 503 and may be repeated. */
const STORE_LIMIT_MS = 2_500

export type HookReceiver = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>

/**
 * `POST /hooks/{path}`: size cap, signature over the raw bytes, deduplicate, match, commit, then 202. Nothing is parsed
 * before its signature is right and nothing is answered before it is stored. An unknown path costs what a known one
 * with a wrong signature costs.
 */
export function createHookReceiver(deps: {
  targets: HookTargets
  intake: Intake
  log: Logger
  now: () => number
  count: (answer: number) => void
}): HookReceiver {
  return async function receiveHook(request, response, path) {
    const refuse = (problem: Problem, close = false) => {
      deps.count(problem.status)
      sendProblem(response, problem, { close })
    }
    if (request.method !== 'POST') return refuse(REFUSALS.method)
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') return refuse(REFUSALS.encoded, true)

    let target: HookTarget | null
    try {
      target = await deps.targets.find(path)
    } catch (error) {
      deps.log.warn({ error }, 'a webhook was refused: its job could not be read')
      return refuse(REFUSALS.unavailable)
    }
    const maxBytes = target?.scheme === 'github' ? GITHUB_BODY_BYTES : INTAKE_BODY_BYTES
    const read = await readBody(request, { maxBytes, timeoutMs: BODY_TIMEOUT_MS })
    if (!read.ok) return refuse(REFUSALS[read.reason], true)
    if (!target) {
      dummyVerify(read.body)
      return refuse(REFUSALS.unknown_path)
    }
    const verified = verifySignature({
      scheme: target.scheme,
      secrets: target.openSecrets,
      headers: request.headersDistinct,
      rawBody: read.body,
      nowMs: deps.now(),
      toleranceMs: SIGNATURE_TOLERANCE_MS,
    })
    if (!verified.ok) return refuse({ ...REFUSALS.signature, detail: verified.message })
    const payload = readPayload(request, target, read.body)
    if ('problem' in payload) return refuse(payload.problem)
    if (target.backlogFull) return refuse(REFUSALS.backlog)

    const event = toEvent(request, target, read.body, verified, payload.value)
    try {
      const answer = await withinTime(deps.intake.accept(event), STORE_LIMIT_MS)
      if (answer.bodyHash !== event.bodyHash) return refuse(REFUSALS.conflict)
      deps.count(202)
      const body = JSON.stringify({ eventId: answer.eventId, deliveries: answer.deliveries.map((d) => d.id) })
      response.writeHead(202, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      })
      response.end(body)
    } catch (error) {
      deps.log.warn({ error }, 'a webhook was answered 503: it could not be stored')
      refuse(REFUSALS.unavailable)
    }
  }
}

function readPayload(
  request: IncomingMessage,
  target: HookTarget,
  body: Buffer,
): { value: unknown } | { problem: Problem } {
  const type =
    (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim().toLowerCase() ?? ''
  if (type.startsWith('text/')) return { value: body.toString('utf8') }
  if (type !== 'application/json' && !type.endsWith('+json')) {
    const detail = `The content type is "${type.slice(0, 100)}". Send application/json (for GitHub: choose it in the webhook's settings).`
    return {
      problem: {
        ...REFUSALS.encoded,
        type: 'wrong-content-type',
        title: 'Only JSON or text is accepted',
        detail,
      },
    }
  }
  const json = parseJsonBody(body)
  if (!json.ok) return { problem: { ...REFUSALS.bad_json, detail: json.message } }
  const name = request.headersDistinct['x-github-event']?.[0] ?? ''
  if (target.scheme === 'github' && !githubEventMatchesBody(name, json.value))
    return { problem: REFUSALS.wrong_event }
  return { value: json.value }
}

function toEvent(
  request: IncomingMessage,
  target: HookTarget,
  body: Buffer,
  verified: Parameters<typeof deduplicationKey>[0],
  payload: unknown,
): PlannedEvent {
  const id = toId('event', uuidv7())
  const bodyHash = createHash('sha256').update(body).digest('hex')
  const isPing = target.scheme === 'github' && request.headers['x-github-event'] === 'ping'
  const ignored = target.deleted
    ? ('job_deleted' as const)
    : target.disabled
      ? ('job_disabled' as const)
      : target.agent_archived
        ? ('agent_archived' as const)
        : isPing
          ? ('filtered' as const)
          : null
  const plan = {
    agentId: target.agent_id,
    machineId: target.machine_id,
    job: { id: target.job_id, key: target.job_key },
    workspace: target.job_workspace ?? target.agent_workspace,
    limits: target.limits,
  }
  const facts = {
    payload,
    event: { id, source: 'webhook' },
    job: { key: target.job_key, name: target.job_name },
  }
  return {
    id,
    organizationId: target.organization_id,
    jobId: target.job_id,
    triggerId: target.trigger_id,
    source: 'webhook' as const,
    ignored,
    dedupScope: target.trigger_id,
    dedupKey: deduplicationKey(verified, bodyHash),
    bodyHash,
    contentType: request.headers['content-type'] ?? null,
    headers: redactHeaders(request.headersDistinct),
    body,
    deliveries: ignored
      ? []
      : [
          planDelivery(
            plan,
            renderPrompt(target.template, facts),
            deliveryRules(target.job_id, target.rules, facts),
          ),
        ],
  }
}
