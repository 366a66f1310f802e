import { expect, test } from 'vitest'
import { statusWord } from './status.ts'

const word = (outcome: 'done' | 'changed_nothing' | 'done_with_warnings', hasResult: boolean) =>
  statusWord('succeeded', { state: 'succeeded', outcome, hasResult }, 'online')

test('an agent that answered and changed no file is done; one that also said nothing needs a look', () => {
  expect(word('changed_nothing', true)).toBe('done')
  expect(word('changed_nothing', false)).toBe('warning')
  expect(word('done', false)).toBe('done')
  expect(word('done_with_warnings', true)).toBe('warning')
})
