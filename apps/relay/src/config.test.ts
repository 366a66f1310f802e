import { RELAY_PORT } from '@baton/protocol'
import { expect, test } from 'vitest'
import { parseRelayConfig } from './config.ts'

const needed = { DATABASE_URL: 'postgres://localhost/baton', BATON_SECRET: 's'.repeat(32) }

test('a setting that is empty is one that was not made', () => {
  const bare = parseRelayConfig(needed, null)
  const empty = {
    BATON_PORT: '',
    BATON_HOST: '',
    BATON_PUBLIC_URL: '',
    BATON_SMTP_URL: '',
    BATON_HOOK_RATE: '',
  }
  expect(parseRelayConfig({ ...needed, ...empty }, null)).toEqual(bare)
  expect(bare).toMatchObject({ port: RELAY_PORT, host: '127.0.0.1', mailServer: null })
})

test('everything that is wrong is said at once', () => {
  const wrong = { DATABASE_URL: 'mysql://x', BATON_SECRET: 'short', BATON_PORT: 'many' }
  expect(() => parseRelayConfig(wrong, null)).toThrow(/DATABASE_URL.*\n.*BATON_SECRET.*\n.*BATON_PORT/)
})
