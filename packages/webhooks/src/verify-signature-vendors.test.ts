import { describe, expect, test } from 'vitest'
import { proofOf, requestOf } from '../test/forgeries.ts'
import { nowMs, reasonOf, signed, withValue } from '../test/signed-requests.ts'
import { vector } from '../test/vectors.ts'
import { encryptLarkBody, generateSecret, openBody, type RefusalReason, verifySignature } from './index.ts'

describe('lark', () => {
  const secret = generateSecret('lark')
  const event = '{"schema":"2.0","header":{"event_id":"ev_1"},"event":{}}'

  test('the id is that of the event inside, and the body that is meant is the decrypted one', () => {
    const one = vector("Lark's encrypted event")
    expect(verifySignature(requestOf(one))).toMatchObject({ deliveryId: '5e3702a84e847582be8db7fb73283c02' })
    expect(JSON.parse(openBody('lark', one.secrets, one.rawBody).toString())).toMatchObject({ schema: '2.0' })
    const body = encryptLarkBody(secret, event)
    expect(openBody('lark', [secret], Buffer.from(body)).toString()).toBe(event)
    expect(openBody('lark', [generateSecret('lark')], Buffer.from(body)).toString()).toBe(body)
  })

  test('an unsigned question about the address is taken only when it is encrypted with the key', () => {
    const question = '{"type":"url_verification","challenge":"c"}'
    const ask = (body: string) => ({
      scheme: 'lark' as const,
      secrets: [secret],
      headers: {},
      rawBody: Buffer.from(body),
      nowMs,
    })
    expect(verifySignature(ask(encryptLarkBody(secret, question)))).toMatchObject({ ok: true })
    for (const body of [
      question,
      encryptLarkBody(generateSecret('lark'), question),
      encryptLarkBody(secret, event),
    ])
      expect(reasonOf(ask(body))).toBe('missing_signature')
  })
})

describe('slack', () => {
  const documented = vector("Slack's documentation")

  test('the id of a command is its signature', () => {
    expect(verifySignature(requestOf(documented))).toEqual({
      ok: true,
      deliveryId: proofOf(documented).value,
      timestampMs: 1531420618_000,
      signedId: true,
    })
  })

  test('the id of an event is its own and stays when Slack tries again later', () => {
    const secret = generateSecret('slack')
    const ids = [nowMs, nowMs + 60_000].map((at) =>
      verifySignature({ ...signed('slack', [secret], '{"event_id":"Ev08MFMKH6"}', at), nowMs: at }),
    )
    expect(ids).toMatchObject([{ deliveryId: 'Ev08MFMKH6' }, { deliveryId: 'Ev08MFMKH6' }])
  })

  test.each<[string, string, RefusalReason]>([
    [
      'x-slack-signature',
      'v1=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
      'malformed_signature',
    ],
    [
      'x-slack-signature',
      'v0=A2114D57B48EAC39B9AD189DD8316235A7B4A8D21A10BD27519666489C69B503',
      'malformed_signature',
    ],
    ['x-slack-request-timestamp', '1531420618 ', 'timestamp_malformed'],
  ])('%s: %s is refused', (name, value, reason) => {
    expect(reasonOf(withValue(documented, name, value))).toBe(reason)
  })
})

describe('stripe', () => {
  const built = vector("Stripe's library")
  const { value } = proofOf(built)
  const v1 = value.slice('t=1614265330,'.length)

  test('the id is that of the event in the signed body', () => {
    expect(verifySignature(requestOf(built))).toMatchObject({
      deliveryId: 'evt_test_webhook',
      signedId: true,
    })
  })

  test.each([
    `${value},v1=potato`,
    `t=1614265330,v1=${'0'.repeat(64)},${v1}`,
    `${v1},t=1614265330`,
    `${value},v0=x`,
  ])('passes over what it does not know: %s', (header) => {
    expect(reasonOf(withValue(built, 'stripe-signature', header))).toBeNull()
  })

  test.each<[string, RefusalReason]>([
    [value.replace('v1=', 'v0='), 'malformed_signature'],
    [`t=1614265330,v1=${v1.slice(3).toUpperCase()}`, 'malformed_signature'],
    [`${value}${',v0=x'.repeat(16)}`, 'malformed_signature'],
    [`${value},`, 'malformed_signature'],
    [v1, 'timestamp_malformed'],
    [`t=abc,${v1}`, 'timestamp_malformed'],
    [`t=1614265330junk,${v1}`, 'timestamp_malformed'],
    [`t=1614265330,t=1614265330,${v1}`, 'timestamp_malformed'],
    [`t=1614265331,${v1}`, 'wrong_signature'],
  ])('%s is refused', (header, reason) => {
    expect(reasonOf(withValue(built, 'stripe-signature', header))).toBe(reason)
  })
})
