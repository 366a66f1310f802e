import { describe, expect, test } from 'vitest'
import { acceptedForgeries, proofOf, type Request, requestOf, withHeader } from '../test/forgeries.ts'
import { distinct, type Vector, vector, vectors } from '../test/vectors.ts'
import {
  encryptLarkBody,
  generateSecret,
  openBody,
  type RefusalReason,
  type Scheme,
  schemeNames,
  signRequest,
  verifySignature,
} from './index.ts'

const nowMs = 1_700_000_000_000
const timed: Scheme[] = ['standard', 'slack', 'stripe', 'lark', 'baton']

describe('published vectors', () => {
  test.each(vectors)('$name is accepted', (one) => {
    expect(verifySignature(requestOf(one))).toMatchObject({ ok: true })
  })

  test.each(vectors)('no forgery made from $name is accepted', (one) => {
    expect(acceptedForgeries(verifySignature, one)).toEqual([])
  })
})

describe('any scheme', () => {
  test.each(schemeNames)(
    '%s: a request that was signed here is accepted, whatever bytes it holds',
    (scheme) => {
      for (const body of ['', 'a\n', 'a\r\n', 'héllo 🚀', Buffer.from([0xff, 0x00, 0xfe, 0x80])]) {
        const request = signed(scheme, [generateSecret(scheme)], body)
        expect(verifySignature(request)).toMatchObject({ ok: true })
      }
    },
  )

  test.each(schemeNames)('%s: while a secret is rotated, the old and the new one are accepted', (scheme) => {
    const [old, fresh, foreign] = [generateSecret(scheme), generateSecret(scheme), generateSecret(scheme)]
    for (const secrets of [
      [old, fresh],
      [fresh, old],
    ]) {
      for (const used of [old, fresh]) {
        expect(verifySignature({ ...signed(scheme, [used], '{}'), secrets })).toMatchObject({ ok: true })
      }
      expect(reasonOf({ ...signed(scheme, [foreign], '{}'), secrets })).toBe('wrong_signature')
    }
  })

  test.each(schemeNames)('%s: of 20 endpoints only its own accepts a request', (scheme) => {
    const secrets = Array.from({ length: 20 }, () => generateSecret(scheme))
    const accepted = secrets.flatMap((one) => {
      const request = signed(scheme, [one], '{}')
      return secrets
        .filter((other) => verifySignature({ ...request, secrets: [other] }).ok)
        .map((other) => other === one)
    })
    expect(accepted).toEqual(Array(20).fill(true))
  })

  test.each(schemeNames)(
    '%s: an empty or cut-off secret matches nothing, not even its own signature',
    (scheme) => {
      const request = signed(scheme, [generateSecret(scheme)], '{}')
      for (const secret of ['', 'x', 'whsec_', 'whsec_eA==', 'whpk_', 'whsk_', ' ']) {
        expect(verifySignature({ ...request, secrets: [secret] }).ok).toBe(false)
        if (scheme === 'standard') continue
        const ownSignature = distinct(
          signRequest({ scheme, secret, id: null, timestampMs: nowMs, body: '{}' }),
        )
        expect(verifySignature({ ...request, headers: ownSignature, secrets: [secret] }).ok).toBe(false)
      }
    },
  )

  test.each(timed)('%s: 300 s are tolerated in both directions and 301 s in none', (scheme) => {
    const request = signed(scheme, [generateSecret(scheme)], '{}')
    const answers = [-301, -300, -299, 0, 299, 300, 301].map((s) =>
      reasonOf({ ...request, nowMs: nowMs + s * 1000 }),
    )
    const outside = 'timestamp_out_of_tolerance'
    expect(answers).toEqual([outside, null, null, null, null, null, outside])
  })

  test('a refusal repeats nothing that was sent', () => {
    for (const one of vectors) {
      const headers = withHeader(requestOf(one), proofOf(one).name, ['hunter2-hunter2-hunter2'])
      const answer = verifySignature({ ...requestOf(one), headers })
      expect(JSON.stringify(answer)).not.toContain('hunter2')
      expect(answer).toMatchObject({
        ok: false,
        message: expect.stringMatching(/^The webhook was refused: .+\.$/),
      })
    }
  })
})

describe('github', () => {
  const documented = vector("GitHub's documentation")
  const hex = proofOf(documented).value.slice(7)

  test.each<[string, string[], RefusalReason]>([
    ['upper-case hex', [`sha256=${hex.toUpperCase()}`], 'malformed_signature'],
    ['no prefix', [hex], 'malformed_signature'],
    ['63 digits', [`sha256=${hex.slice(1)}`], 'malformed_signature'],
    ['65 digits', [`sha256=${hex}0`], 'malformed_signature'],
    [
      'the SHA-1 value under the SHA-256 name',
      ['sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59'],
      'malformed_signature',
    ],
    ['two headers', [`sha256=${hex}`, `sha256=${hex}`], 'duplicate_header'],
  ])('%s is refused', (_, values, reason) => {
    expect(reasonOf({ ...requestOf(documented), headers: { 'x-hub-signature-256': values } })).toBe(reason)
  })

  test('a true SHA-1 signature alone is a missing signature', () => {
    const headers = { 'x-hub-signature': ['sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59'] }
    expect(reasonOf({ ...requestOf(documented), headers })).toBe('missing_signature')
  })

  test('the delivery id is given back and said to be unsigned', () => {
    const headers = {
      ...requestOf(documented).headers,
      'x-github-delivery': ['72d3162e-cc78-11e3-81ab-4c9367dc0958'],
    }
    expect(verifySignature({ ...requestOf(documented), headers })).toEqual({
      ok: true,
      deliveryId: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      timestampMs: null,
      signedId: false,
    })
  })

  test.each<[string, string[], RefusalReason]>([
    ['two ids', ['a', 'b'], 'duplicate_header'],
    ['an empty id', [''], 'malformed_id'],
    ['an id with a space', ['a b'], 'malformed_id'],
    ['an id of 257 characters', ['a'.repeat(257)], 'malformed_id'],
  ])('%s is refused', (_, values, reason) => {
    const headers = { ...requestOf(documented).headers, 'x-github-delivery': values }
    expect(reasonOf({ ...requestOf(documented), headers })).toBe(reason)
  })
})

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

describe('baton and bearer', () => {
  test('without an id of its own a request is known by its signature', () => {
    const one = vector("openssl's answer for our own scheme")
    const signature = proofOf(one).value.slice(-64)
    expect(verifySignature(requestOf(one))).toMatchObject({ deliveryId: signature, signedId: true })
  })

  test('baton: the id is signed, so nobody can send the request again under another one', () => {
    const request = signed('baton', [generateSecret('baton')], '{}', nowMs, 'order-7')
    const other = withHeader(request, 'x-baton-delivery', ['order-8'])
    expect(reasonOf({ ...request, headers: other })).toBe('wrong_signature')
    expect(reasonOf({ ...request, headers: withHeader(request, 'x-baton-delivery', undefined) })).toBe(
      'wrong_signature',
    )
  })

  test.each<Scheme>(['baton', 'bearer'])('%s: X-Baton-Delivery is the id', (scheme) => {
    const request = signed(scheme, [generateSecret(scheme)], '{}', nowMs, 'order-7')
    expect(verifySignature(request)).toMatchObject({ deliveryId: 'order-7', signedId: scheme === 'baton' })
    const headers = withHeader(request, 'x-baton-delivery', ['order-7', 'order-8'])
    expect(reasonOf({ ...request, headers })).toBe('duplicate_header')
  })

  test.each([
    'bearer SECRET',
    'Bearer  SECRET',
    'Bearer SECRET ',
    'Basic SECRET',
    'SECRET',
    'Bearer',
    'Bearer ',
  ])('Authorization: %s is malformed', (form) => {
    const secret = generateSecret('bearer')
    const request = signed('bearer', [secret], '{}')
    const headers = { authorization: [form.replace('SECRET', secret)] }
    expect(reasonOf({ ...request, headers })).toBe('malformed_signature')
  })
})

function signed(
  scheme: Scheme,
  secrets: [string],
  body: string | Buffer,
  timestampMs = nowMs,
  id = 'msg_1',
): Request {
  const headers = distinct(signRequest({ scheme, secret: secrets[0], id, timestampMs, body }))
  return { scheme, secrets, headers, rawBody: Buffer.from(body), nowMs }
}

function withValue(one: Vector, name: string, value: string): Request {
  return { ...requestOf(one), headers: withHeader(requestOf(one), name, [value]) }
}

function reasonOf(request: Request): RefusalReason | null {
  const answer = verifySignature(request)
  return answer.ok ? null : answer.reason
}
