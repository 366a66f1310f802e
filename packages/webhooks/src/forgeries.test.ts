import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  acceptedForgeries,
  proofOf,
  type Request,
  requestOf,
  type Verify,
  withHeader,
} from '../test/forgeries.ts'
import { type Vector, vector, vectors } from '../test/vectors.ts'
import { schemeNames, verifySignature } from './index.ts'

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

test(`of 10,000 requests that were changed at random none is accepted (SEED=${seed})`, () => {
  const random = seeded(seed)
  const accepted: unknown[] = []
  const reasons = new Set<string>()
  for (let made = 0; made < 10_000; made++) {
    const request = mutate(pick(vectors, random), random)
    const answer = verifySignature(request)
    if (answer.ok) accepted.push(request)
    else reasons.add(answer.reason)
  }
  expect(accepted).toEqual([])
  expect(reasons.size).toBeGreaterThanOrEqual(6)
})

test('there is a vector of every scheme', () => {
  expect(new Set(vectors.map((one) => one.scheme))).toEqual(new Set(schemeNames))
})

/** Mistakes that have been made in real receivers. Each must be found by the forgeries that the suite tries. */
const mistakes = [
  'compares with startsWith',
  'compares up to the shorter length',
  'ignores the case of hex',
  'takes the first of repeated headers',
  'takes the last of repeated headers',
  'lets requests without a signature pass',
  'looks at the past only',
  'does not look at the time',
  'reads the time with parseInt',
  'signs the body as it would write it',
] as const

type Mistake = (typeof mistakes)[number]

const suspects: Record<Mistake, Vector> = {
  'compares with startsWith': vector("GitHub's documentation"),
  'compares up to the shorter length': vector("GitHub's documentation"),
  'ignores the case of hex': vector("GitHub's documentation"),
  'takes the first of repeated headers': vector("GitHub's documentation"),
  'takes the last of repeated headers': vector("GitHub's documentation"),
  'lets requests without a signature pass': vector("GitHub's documentation"),
  'looks at the past only': vector("Slack's documentation"),
  'does not look at the time': vector("Slack's documentation"),
  'reads the time with parseInt': vector("Slack's documentation"),
  'signs the body as it would write it': vector('GitHub, UTF-8 body'),
}

test.each(mistakes)('a receiver that %s is caught', (mistake) => {
  const suspect = suspects[mistake]
  expect(receiverThat(mistake)(requestOf(suspect)).ok).toBe(true)
  expect(acceptedForgeries(receiverThat(mistake), suspect)).not.toEqual([])
})

test('the same receiver without a mistake passes, so it is the mistakes that are caught', () => {
  for (const suspect of new Set(Object.values(suspects))) {
    expect(receiverThat(null)(requestOf(suspect)).ok).toBe(true)
    expect(acceptedForgeries(receiverThat(null), suspect)).toEqual([])
  }
})

/** The least that verifies GitHub and Slack, with one mistake in it. */
function receiverThat(mistake: Mistake | null): Verify {
  return ({ scheme, secrets, headers, rawBody, nowMs }) => {
    const read = (name: string) => {
      const values = headers[name] ?? []
      if (mistake === 'takes the first of repeated headers') return values[0]
      if (mistake === 'takes the last of repeated headers') return values.at(-1)
      return values.length === 1 ? values[0] : undefined
    }
    const time = scheme === 'slack' ? (read('x-slack-request-timestamp') ?? '') : null
    const proof = read(scheme === 'slack' ? 'x-slack-signature' : 'x-hub-signature-256')
    if (proof === undefined && mistake === 'lets requests without a signature pass') return accepted
    if (time !== null && !isTimely(time, nowMs)) return refused
    const signedTime = mistake === 'reads the time with parseInt' ? String(parseInt(time ?? '', 10)) : time
    const body = mistake === 'signs the body as it would write it' ? rewritten(rawBody) : rawBody
    const hmac = createHmac('sha256', secrets[0] ?? '').update(time === null ? '' : `v0:${signedTime}:`)
    const expected = (time === null ? 'sha256=' : 'v0=') + hmac.update(body).digest('hex')
    return proof !== undefined && equals(proof, expected) ? accepted : refused
  }

  function isTimely(time: string, nowMs: number): boolean {
    if (mistake === 'does not look at the time') return true
    const seconds = mistake === 'reads the time with parseInt' ? parseInt(time, 10) : strictSeconds(time)
    const ageMs = nowMs - seconds * 1000
    return mistake === 'looks at the past only' ? ageMs <= 300_000 : Math.abs(ageMs) <= 300_000
  }

  function equals(proof: string, expected: string): boolean {
    if (mistake === 'compares with startsWith') return expected.startsWith(proof)
    if (mistake === 'compares up to the shorter length') return proof.startsWith(expected)
    if (mistake === 'ignores the case of hex') return proof.toLowerCase() === expected
    return proof === expected
  }
}

const accepted = { ok: true, deliveryId: null, timestampMs: null, signedId: false } as const
const refused = { ok: false, reason: 'wrong_signature', message: '' } as const

function strictSeconds(time: string): number {
  return /^\d{10}$/.test(time) ? Number(time) : Number.NaN
}

function rewritten(rawBody: Buffer): string | Buffer {
  try {
    return JSON.stringify(JSON.parse(rawBody.toString()))
  } catch {
    return rawBody
  }
}

/** One random change to what the scheme protects; never one that leaves the request as it was. */
function mutate(one: Vector, random: () => number): Request {
  const request = requestOf(one)
  const names = Object.keys(one.headers)
  const name = pick(names, random)
  const value = Buffer.from(one.headers[name] ?? '')
  const change = Math.floor(random() * (one.scheme === 'bearer' ? 4 : 6))
  if (change === 0) return { ...request, headers: withHeader(request, name, undefined) }
  if (change === 1)
    return { ...request, headers: withHeader(request, name, [value.toString(), value.toString()]) }
  if (change === 2) {
    const foreign = pick(
      vectors.filter((other) => other.scheme !== one.scheme),
      random,
    )
    return { ...request, headers: withHeader(request, proofOf(one).name, [proofOf(foreign).value]) }
  }
  if (change === 3)
    return { ...request, headers: withHeader(request, name, [changed(value, random).toString('latin1')]) }
  if (change === 4) return { ...request, rawBody: changed(one.rawBody, random) }
  return {
    ...request,
    scheme: pick(
      schemeNames.filter((other) => other !== one.scheme),
      random,
    ),
  }
}

/** The bytes with one turned around, put in, taken out, or all after one cut off. */
function changed(bytes: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * bytes.length)
  const before = bytes.subarray(0, at)
  const kind = bytes.length === 0 ? 1 : Math.floor(random() * 4)
  if (kind === 0)
    return Buffer.concat([
      before,
      Buffer.from([(bytes[at] ?? 0) ^ (1 + Math.floor(random() * 255))]),
      bytes.subarray(at + 1),
    ])
  if (kind === 1)
    return Buffer.concat([before, Buffer.from([Math.floor(random() * 256)]), bytes.subarray(at)])
  if (kind === 2) return Buffer.concat([before, bytes.subarray(at + 1)])
  return Buffer.from(before)
}

function pick<T>(from: readonly T[], random: () => number): T {
  return from[Math.floor(random() * from.length)] as T
}

/** mulberry32: small, and the same everywhere for one seed. */
function seeded(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
