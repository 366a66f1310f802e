import { expect, test } from 'vitest'
import { eventually } from './eventually.ts'

test('the value of the first check that does not throw is given back', async () => {
  let calls = 0
  const value = await eventually(() => {
    calls += 1
    if (calls < 3) throw new Error('not yet')
    return calls
  })
  expect(value).toBe(3)
})

test('a check that never holds fails with its own last error and the time it was given', async () => {
  await expect(
    eventually(
      () => {
        throw new Error('still dark')
      },
      { timeoutMs: 30 },
    ),
  ).rejects.toThrow(/still dark\n.*30 ms/)
})
