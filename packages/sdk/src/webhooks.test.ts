import { generateSecret, type Scheme, signRequest } from '@baton/webhooks'
import { expect, test } from 'vitest'
import { webhooks } from './webhooks.ts'

const body = '{"ref":"main"}'

function sign(scheme: Scheme) {
  const secret = generateSecret(scheme)
  return { secret, headers: signRequest({ scheme, secret, id: 'msg_1', timestampMs: Date.now(), body }) }
}

test.each(['github', 'standard', 'baton'] as const)(
  'a request signed as %s signs is recognized by its headers',
  (scheme) => {
    const { secret, headers } = sign(scheme)
    expect(webhooks.verify(body, headers, secret)).toMatchObject({ ok: true })
    expect(webhooks.verify(body, new Headers(headers), secret)).toMatchObject({ ok: true })
  },
)

test('another body, another secret and no signature are refused', () => {
  const { secret, headers } = sign('baton')
  expect(webhooks.verify('{"ref":"evil"}', headers, secret)).toMatchObject({
    ok: false,
    reason: 'wrong_signature',
  })
  expect(webhooks.verify(body, headers, generateSecret('baton'))).toMatchObject({ ok: false })
  expect(webhooks.verify(body, {}, secret)).toMatchObject({ ok: false, reason: 'missing_signature' })
})
