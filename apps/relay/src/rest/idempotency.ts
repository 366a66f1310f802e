import { createHash, randomUUID } from 'node:crypto'
import {
  answerIdempotencyKey,
  claimIdempotencyKey,
  type Db,
  type IdempotencyClaim,
  releaseIdempotencyKey,
} from '@baton/db'
import { ERROR_ANSWERS, type OrganizationId } from '@baton/protocol'
import { openSecret, sealSecret } from '../secrets/seal.ts'
import type { RestAnswer } from './rest-answer.ts'
import { RestProblem } from './rest-problem.ts'

export type KeyedRequest = {
  organizationId: OrganizationId
  caller: string
  key: string
  /** Method, path and body: what must be the same for the key to be the same request. */
  request: string
}

/**
 * Does what a key stands for once and answers the same ever after (for 24 hours). While the first request is at work the
 * others are told to come back. A refusal is not kept: nothing came of it, and the next try may go better. When it is not
 * known what came of it, the key stays taken for a minute.
 */
export async function oncePerKey(
  deps: { db: Db; sealKey: Buffer },
  request: KeyedRequest,
  act: () => Promise<RestAnswer>,
): Promise<RestAnswer> {
  const claim: IdempotencyClaim = {
    organizationId: request.organizationId,
    caller: request.caller,
    key: request.key,
    requestHash: createHash('sha256').update(request.request).digest('hex'),
    claim: randomUUID(),
  }
  const context = `idempotency:${request.caller}:${request.key}`
  const claimed = await claimIdempotencyKey(deps.db, claim)
  if (claimed.kind === 'other') throw usedForAnother()
  if (claimed.kind === 'busy') throw stillAtWork()
  if (claimed.kind === 'answered') {
    const before = JSON.parse(openSecret(deps.sealKey, context, claimed.answer)) as RestAnswer
    return { ...before, headers: { ...before.headers, 'idempotency-replayed': 'true' } }
  }
  try {
    const answer = await act()
    await answerIdempotencyKey(deps.db, claim, sealSecret(deps.sealKey, context, JSON.stringify(answer)))
    return answer
  } catch (error) {
    const isKnown = error instanceof RestProblem && !isUnclear(error)
    if (isKnown) await releaseIdempotencyKey(deps.db, claim)
    throw error
  }
}

/** Whether what was asked for may have happened all the same. */
const isUnclear = ({ code }: RestProblem) => code === 'internal' || ERROR_ANSWERS[code].http >= 502

const usedForAnother = () =>
  new RestProblem({
    status: 409,
    type: 'idempotency-key-reused',
    title: 'This Idempotency-Key belongs to another request',
    detail:
      'It was used with another path or body within the last 24 hours. Take a new key for a new request.',
    code: 'conflict',
  })

const stillAtWork = () =>
  new RestProblem({
    status: 409,
    type: 'idempotency-in-progress',
    title: 'The first request with this Idempotency-Key is still at work',
    detail: 'Send the same request again after the time in Retry-After; it then gets the first answer.',
    code: 'conflict',
    retryAfterS: 1,
  })
