import { usePlace, useTestDatabase } from '@baton/testkit'
import { expect, test } from 'vitest'
import {
  answerIdempotencyKey,
  claimIdempotencyKey,
  deleteOldIdempotencyKeys,
  type IdempotencyClaim,
  releaseIdempotencyKey,
  sql,
} from '../index.ts'

const database = useTestDatabase()
const place = usePlace(database)
let count = 0

const claim = (only: Partial<IdempotencyClaim> = {}): IdempotencyClaim => ({
  organizationId: place.organizationId,
  caller: place.machineId,
  key: 'key',
  requestHash: 'request',
  claim: `claim-${++count}`,
  ...only,
})
const take = (only: Partial<IdempotencyClaim> = {}) => claimIdempotencyKey(database.db, claim(only))
const age = (interval: string) =>
  sql`update idempotency_keys set claimed_at = now() - ${interval}::interval where caller = ${place.machineId}`.execute(
    database.db,
  )

test('of twenty that ask at once one gets the key', async () => {
  const kinds = (await Promise.all(Array.from({ length: 20 }, () => take()))).map(({ kind }) => kind)
  expect(kinds.filter((kind) => kind === 'claimed')).toHaveLength(1)
  expect(kinds.filter((kind) => kind === 'busy')).toHaveLength(19)
})

test('the answer is kept for a day for the same request, and another request never gets it', async () => {
  const first = claim()
  await claimIdempotencyKey(database.db, first)
  await answerIdempotencyKey(database.db, first, 'done')
  await age('23 hours')
  expect(await take()).toEqual({ kind: 'answered', answer: 'done' })
  expect(await take({ requestHash: 'another' })).toEqual({ kind: 'other' })
  expect(await take({ caller: place.agentId })).toEqual({ kind: 'claimed' })
  await age('25 hours')
  expect(await take({ requestHash: 'another' })).toEqual({ kind: 'claimed' })
})

test('a request whose relay is gone may be made again after a minute, and its late answer counts for nothing', async () => {
  const first = claim()
  await claimIdempotencyKey(database.db, first)
  await age('61 seconds')
  expect(await take({ requestHash: 'another' })).toEqual({ kind: 'other' })
  expect(await take()).toEqual({ kind: 'claimed' })
  await answerIdempotencyKey(database.db, first, 'late')
  await releaseIdempotencyKey(database.db, first)
  expect(await take()).toEqual({ kind: 'busy' })
})

test('a key that is given back is free at once, and old ones go', async () => {
  const first = claim()
  await claimIdempotencyKey(database.db, first)
  await releaseIdempotencyKey(database.db, first)
  expect(await take()).toEqual({ kind: 'claimed' })
  await age('25 hours')
  expect(await deleteOldIdempotencyKeys(database.db, 100)).toBeGreaterThan(0)
  expect(await deleteOldIdempotencyKeys(database.db, 100)).toBe(0)
})
