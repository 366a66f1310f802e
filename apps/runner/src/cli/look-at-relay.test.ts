import { expect, test } from 'vitest'
import { lookAtVersions } from './look-at-relay.ts'

test('a relay of another version is said, and is no reason to stop', () => {
  expect(lookAtVersions('0.1.0', '0.1.0')).toMatchObject({ state: 'ok' })
  expect(lookAtVersions('0.2.0', '0.1.0')).toMatchObject({
    state: 'warning',
    what: expect.stringContaining('0.2.0'),
  })
})
