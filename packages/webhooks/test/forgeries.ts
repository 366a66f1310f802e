import type { DistinctHeaders, Verification, verifySignature } from '../src/index.ts'
import { distinct, type Vector } from './vectors.ts'

export type Request = Parameters<typeof verifySignature>[0]
export type Verify = (request: Request) => Verification

export function requestOf(vector: Vector): Request {
  const { scheme, secrets, headers, rawBody, nowMs } = vector
  return { scheme, secrets, headers: distinct(headers), rawBody, nowMs }
}

/** The header that carries the proof, which is the last one of every vector. */
export function proofOf(vector: Vector): { name: string; value: string } {
  const [name, value] = Object.entries(vector.headers).at(-1) ?? []
  if (name === undefined || value === undefined) throw new Error(`${vector.name} has no headers.`)
  return { name, value }
}

/** Requests that an attacker without the secret can make from a captured one. None may be accepted. */
export function* forgeriesOf(vector: Vector): Generator<{ name: string; request: Request }> {
  const request = requestOf(vector)
  const proof = proofOf(vector)
  const withProof = (values: string[] | undefined) => ({
    ...request,
    headers: withHeader(request, proof.name, values),
  })
  yield { name: 'no signature', request: withProof(undefined) }
  yield { name: 'empty signature', request: withProof(['']) }
  yield { name: 'signature sent twice', request: withProof([proof.value, proof.value]) }
  yield { name: 'true signature, then a false one', request: withProof([proof.value, 'x']) }
  yield { name: 'false signature, then a true one', request: withProof(['x', proof.value]) }
  yield {
    name: 'two signatures joined by a comma and a space',
    request: withProof([`${proof.value}, ${proof.value}`]),
  }
  for (let length = 1; length < proof.value.length; length++) {
    yield {
      name: `first ${length} characters of the signature`,
      request: withProof([proof.value.slice(0, length)]),
    }
  }
  for (const name of Object.keys(vector.headers)) yield* changedBytesOfHeader(request, name)
  for (const { name, bytes } of changedBytes(request.rawBody)) {
    if (vector.scheme !== 'bearer')
      yield { name: `body with ${name}`, request: { ...request, rawBody: bytes } }
  }
  yield* outsideTolerance(vector)
  yield { name: 'secret of another endpoint', request: { ...request, secrets: [otherSecret(vector)] } }
  yield { name: 'no secret', request: { ...request, secrets: [] } }
}

/** The names of the forgeries that `verify` accepts. */
export function acceptedForgeries(verify: Verify, vector: Vector): string[] {
  return [...forgeriesOf(vector)].filter(({ request }) => verify(request).ok).map(({ name }) => name)
}

export function withHeader(request: Request, name: string, values: string[] | undefined): DistinctHeaders {
  return { ...request.headers, [name]: values }
}

function* changedBytesOfHeader(
  request: Request,
  header: string,
): Generator<{ name: string; request: Request }> {
  const value = request.headers[header]?.[0] ?? ''
  for (const { name, bytes } of changedBytes(Buffer.from(value))) {
    yield {
      name: `${header} with ${name}`,
      request: { ...request, headers: withHeader(request, header, [bytes.toString('latin1')]) },
    }
  }
}

/** Every bit of every byte turned around, one at a time, and one byte more at either end. */
function* changedBytes(bytes: Buffer): Generator<{ name: string; bytes: Buffer }> {
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ (1 << bit)
      yield { name: `bit ${bit} of byte ${at} changed`, bytes: changed }
    }
  }
  for (const extra of ['0', ' ', '\n', ',', '\0']) {
    yield { name: `${JSON.stringify(extra)} after it`, bytes: Buffer.concat([bytes, Buffer.from(extra)]) }
    yield { name: `${JSON.stringify(extra)} before it`, bytes: Buffer.concat([Buffer.from(extra), bytes]) }
  }
}

function* outsideTolerance(vector: Vector): Generator<{ name: string; request: Request }> {
  if (vector.scheme === 'github' || vector.scheme === 'bearer') return
  for (const seconds of [-1e9, -301, 301, 1e9]) {
    const request = { ...requestOf(vector), nowMs: vector.nowMs + seconds * 1000 }
    yield { name: `clock of the receiver ${seconds} s away`, request }
  }
  yield { name: 'clock of the receiver unknown', request: { ...requestOf(vector), nowMs: Number.NaN } }
}

function otherSecret({ secrets: [secret = ''] }: Vector): string {
  const prefix = /^(whsec|whpk)_/.exec(secret)?.[0] ?? ''
  return prefix + Buffer.alloc(32, 7).toString('base64')
}
