import { DEFAULT_RULES, type RunRules } from '@baton/protocol'
import { expect, test } from 'vitest'
import { deliveryRules } from './delivery-rules.ts'

const who = { jobId: 'job_1', agentId: 'agt_1' } as const
const facts = {
  payload: { number: 42, empty: '' },
  event: { id: 'evt_1', source: 'webhook' },
  job: { key: 'review', name: 'Review' },
} as Parameters<typeof deliveryRules>[2]
const rulesOf = (only: Partial<RunRules>, given: string | null = null) =>
  deliveryRules(who, { ...DEFAULT_RULES, ...only }, facts, given)

test('a job without rules of its own has none, so that its work can be pushed from memory', () => {
  expect(rulesOf({})).toBeNull()
  expect(rulesOf({ conversation: '{{ payload.empty }}' })).toBeNull()
})

test('a conversation is filled in from the event, and one run of it is at work at a time', () => {
  expect(rulesOf({ conversation: 'pr-{{ payload.number }}' })).toMatchObject({
    conversation: 'pr-42',
    concurrencyKey: 'conversation:agt_1:pr-42',
    concurrencyLimit: 1,
    overlapKey: null,
  })
})

test('firings that replace one another do so within their conversation', () => {
  expect(rulesOf({ conversation: 'pr-{{ payload.number }}', overlap: 'replace' })).toMatchObject({
    overlapKey: 'job_1:pr-42',
  })
})

test('a conversation given by a person counts as well', () => {
  expect(rulesOf({}, 'talk')).toMatchObject({ conversation: 'talk', concurrencyLimit: 1 })
})

test('what a job asks for its public work is leased by the statement that reads it', () => {
  expect(rulesOf({ trust: 'member' })).not.toBeNull()
  expect(rulesOf({ publicMode: 'edit' })).not.toBeNull()
})
