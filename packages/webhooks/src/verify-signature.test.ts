import { describe, expect, test } from 'vitest'
import { acceptedForgeries, proofOf, requestOf, withHeader } from '../test/forgeries.ts'
import { nowMs, reasonOf, signed } from '../test/signed-requests.ts'
import { distinct, vector, vectors } from '../test/vectors.ts'
import {
  generateSecret,
  type RefusalReason,
  type Scheme,
  schemeNames,
  signRequest,
  verifySignature,
} from './index.ts'

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
