import type { TriggerView } from '@baton/protocol'
import { triggerInput } from '@baton/protocol'
import { expect, test } from 'vitest'
import { draftOf, newTrigger, toTriggerChange, toTriggerInput } from './trigger-draft.ts'

test('the empty form of each kind, with what it requires, is an input that the API takes', () => {
  for (const kind of ['webhook', 'cron', 'interval', 'file_change', 'git_push', 'github'] as const) {
    const draft = { ...newTrigger(kind), ...(kind === 'file_change' && { folder: '/notes' }) }
    expect(triggerInput.safeParse(toTriggerInput(draft)).error).toBeUndefined()
  }
})

test('a trigger that is opened and saved without a change stays what it was', () => {
  const filters = [
    { field: 'payload.action', op: 'eq' as const, value: 'opened' },
    { field: 'payload.number', op: 'gt' as const, value: 3 },
    { field: 'payload.label', op: 'in' as const, value: ['3', 'bug', null, true] },
    { field: 'payload.draft', op: 'missing' as const },
  ]
  const view = {
    id: 'trg_1',
    kind: 'webhook',
    paused: false,
    path: 'deploy',
    url: 'https://baton.example/hooks/deploy',
    scheme: 'github',
    filters,
    acceptUnsigned: false,
    secrets: 1,
  } as unknown as TriggerView
  const draft = draftOf(view)
  expect(draft && toTriggerChange(draft)).toEqual({ kind: 'webhook', filters, acceptUnsigned: false })
})
