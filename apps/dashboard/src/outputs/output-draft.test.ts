import { expect, test } from 'vitest'
import { newOutput, outputProblems, toOutputInput } from './output-draft.ts'

test('what is wrong with the config of an output stands at its field, and only at outputs of that kind', () => {
  const said =
    'The config of the email output is not right. ✖ must be an address like name@example.com   → at to[0]'
  expect(outputProblems(said, 'email')).toEqual({ to: 'must be an address like name@example.com' })
  expect(outputProblems(said, 'webhook')).toEqual({})
  expect(outputProblems('The relay could not be reached.', 'email')).toEqual({})
})

test('an output that was only chosen says nothing that was not typed', () => {
  expect(toOutputInput(newOutput('log'))).toEqual({
    kind: 'log',
    on: 'always',
    config: {},
    text: { subject: null, body: null, format: 'text', schema: null },
  })
})
