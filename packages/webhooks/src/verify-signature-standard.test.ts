import { describe, expect, test } from 'vitest'
import { proofOf, requestOf, withHeader } from '../test/forgeries.ts'
import { reasonOf, signed, withValue } from '../test/signed-requests.ts'
import { vector } from '../test/vectors.ts'
import { type RefusalReason, signRequest, verifySignature } from './index.ts'

describe('standard', () => {
  const shared = vector('Standard Webhooks, shared secret')
  const wrong = 'v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc='

  test('one good signature among others is enough', () => {
    const list = `${wrong} v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= ${proofOf(shared).value} ${wrong}`
    expect(reasonOf(withValue(shared, 'webhook-signature', list))).toBeNull()
  })

  test('the id is signed and comes back with the time', () => {
    expect(verifySignature(requestOf(shared))).toEqual({
      ok: true,
      deliveryId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestampMs: 1614265330_000,
      signedId: true,
    })
  })

  test.each<[string, string, RefusalReason]>([
    ['v1 without a signature', 'v1,', 'malformed_signature'],
    ['the first 8 characters', 'v1,g0hM9SsE', 'malformed_signature'],
    ['a later version only', 'v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=', 'malformed_signature'],
    [
      'base64 that is not canonical',
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=',
      'malformed_signature',
    ],
    ['base64 of the web', 'v1,g0hM9SsE-OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE=', 'malformed_signature'],
    ['17 signatures', Array(17).fill(proofOf(shared).value).join(' '), 'malformed_signature'],
    ['another signature', wrong, 'wrong_signature'],
  ])('%s is refused', (_, value, reason) => {
    expect(reasonOf(withValue(shared, 'webhook-signature', value))).toBe(reason)
  })

  test.each<[string, string, RefusalReason]>([
    ['webhook-id', 'msg.1', 'malformed_id'],
    ['webhook-id', '', 'malformed_id'],
    ['webhook-timestamp', '', 'timestamp_malformed'],
    ['webhook-timestamp', 'abc', 'timestamp_malformed'],
    ['webhook-timestamp', '1e9', 'timestamp_malformed'],
    ['webhook-timestamp', '1614265330junk', 'timestamp_malformed'],
    ['webhook-timestamp', '01614265330', 'timestamp_malformed'],
    ['webhook-timestamp', '+161426533', 'timestamp_malformed'],
    ['webhook-timestamp', '1614265330.0', 'timestamp_malformed'],
  ])('%s: %s is refused', (name, value, reason) => {
    expect(reasonOf(withValue(shared, name, value))).toBe(reason)
  })

  test.each<[string, RefusalReason]>([
    ['webhook-id', 'missing_id'],
    ['webhook-timestamp', 'timestamp_malformed'],
    ['webhook-signature', 'missing_signature'],
  ])('a missing %s is refused, a repeated one too', (name, reason) => {
    const request = requestOf(shared)
    const values = request.headers[name] ?? []
    expect(reasonOf({ ...request, headers: withHeader(request, name, undefined) })).toBe(reason)
    expect(reasonOf({ ...request, headers: withHeader(request, name, [...values, ...values]) })).toBe(
      'duplicate_header',
    )
  })

  test('headers with the svix names are accepted, and never mixed with the others', () => {
    const svix = Object.fromEntries(
      Object.entries(requestOf(shared).headers).map(([name, values]) => [
        name.replace('webhook-', 'svix-'),
        values,
      ]),
    )
    expect(reasonOf({ ...requestOf(shared), headers: svix })).toBeNull()
    const mixed = { ...svix, 'webhook-signature': svix['svix-signature'] }
    expect(reasonOf({ ...requestOf(shared), headers: mixed })).toBe('missing_id')
    const strangerBeside = { ...requestOf(shared).headers, 'svix-id': ['other'] }
    expect(verifySignature({ ...requestOf(shared), headers: strangerBeside })).toMatchObject({
      deliveryId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    })
  })

  test('a public key is never used as a shared one', () => {
    const publicKey = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4='
    const asShared = publicKey.replace('whpk_', 'whsec_')
    const forged = { ...signed('standard', [asShared], '{}'), secrets: [publicKey] }
    expect(reasonOf(forged)).toBe('wrong_signature')
  })

  test('a private key signs what its public key accepts, byte for byte as Svix does', () => {
    const privateKey =
      'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=='
    const pair = vector('Standard Webhooks, Svix key pair')
    const id = pair.headers['webhook-id'] ?? ''
    const body = pair.rawBody
    expect(
      signRequest({ scheme: 'standard', secret: privateKey, id, timestampMs: pair.nowMs, body }),
    ).toEqual(pair.headers)
    expect(verifySignature({ ...requestOf(pair), secrets: [privateKey] })).toMatchObject({ ok: true })
  })

  test('a shared and a public key can stand side by side', () => {
    const pair = vector('Standard Webhooks, Svix key pair')
    const secrets = [...shared.secrets, ...pair.secrets]
    for (const one of [shared, pair]) expect(reasonOf({ ...requestOf(one), secrets })).toBeNull()
  })
})
