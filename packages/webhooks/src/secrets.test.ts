import { expect, test } from 'vitest'
import { assertSecret, generateSecret, schemeNames, signRequest } from './index.ts'

test.each(schemeNames)('%s: a generated secret is new, accepted and safe in a shell', (scheme) => {
  const secrets = Array.from({ length: 100 }, () => generateSecret(scheme))
  expect(new Set(secrets).size).toBe(100)
  for (const secret of secrets) {
    expect(() => assertSecret(scheme, secret)).not.toThrow()
    expect(secret).toMatch(/^[A-Za-z0-9_+/=]+$/)
  }
})

test('a generated secret holds 32 random bytes in the form of its scheme', () => {
  expect(Buffer.from(generateSecret('standard').replace(/^whsec_/, ''), 'base64')).toHaveLength(32)
  expect(generateSecret('github')).toMatch(/^[0-9a-f]{64}$/)
  expect(generateSecret('slack')).toMatch(/^[0-9a-f]{64}$/)
  expect(generateSecret('stripe')).toMatch(/^whsec_[0-9a-f]{64}$/)
  expect(generateSecret('baton')).toMatch(/^sk_hook_[0-9a-f]{64}$/)
  expect(generateSecret('bearer')).toMatch(/^sk_hook_[0-9a-f]{64}$/)
})

test.each(schemeNames)('%s: secrets of 0, 1 and 23 bytes are refused and 24 accepted', (scheme) => {
  const ofBytes = (count: number) => {
    const bytes = Buffer.alloc(count, 0x61)
    return scheme === 'standard' ? `whsec_${bytes.toString('base64')}` : bytes.toString()
  }
  for (const count of [0, 1, 23]) {
    const problem = `The ${scheme} webhook secret was not accepted: it has ${count} bytes and at least 24 are needed.`
    expect(() => assertSecret(scheme, ofBytes(count))).toThrow(problem)
  }
  expect(() => assertSecret(scheme, ofBytes(24))).not.toThrow()
})

test.each(schemeNames)('%s: a secret pasted with its line end is refused', (scheme) => {
  expect(() => assertSecret(scheme, `${generateSecret(scheme)}\n`)).toThrow('was not accepted')
})

test('a bearer secret is refused when a header cannot carry it', () => {
  expect(() => assertSecret('bearer', 'twenty-four characters €')).toThrow('outside ASCII')
})

test.each([
  ['whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kv', 'base64'],
  ['whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6K', 'cut off'],
  [
    'whsk_7Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==',
    'belong together',
  ],
  ['whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4', null],
  ['whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbO', 'cut off'],
  ['whsec_not base64 at all, but long enough', 'base64'],
  ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', null],
])('standard: %s', (secret, problem) => {
  if (problem === null) expect(() => assertSecret('standard', secret)).not.toThrow()
  else expect(() => assertSecret('standard', secret)).toThrow(problem)
})

test('a complaint never repeats the secret', () => {
  expect(() => assertSecret('github', 'hunter2')).toThrow(/^(?!.*hunter2)/)
})

test('a request that no receiver could accept is not signed', () => {
  const secret = generateSecret('standard')
  const request = {
    scheme: 'standard',
    secret,
    id: 'msg_1',
    timestampMs: 1_700_000_000_000,
    body: '',
  } as const
  expect(() => signRequest({ ...request, id: null })).toThrow('pass one')
  expect(() => signRequest({ ...request, id: 'a.b' })).toThrow('without a full stop')
  expect(() => signRequest({ ...request, timestampMs: 1_700_000_000 })).toThrow('milliseconds')
  expect(() =>
    signRequest({ ...request, secret: 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=' }),
  ).toThrow('whsk_')
})
