import { schemes } from './schemes/schemes.ts'
import type { Scheme } from './verification.ts'

/** A new secret of 32 random bytes, in the form that senders of this scheme expect (`whsec_…` for standard). */
export function generateSecret(scheme: Scheme): string {
  return schemes[scheme].generateSecret()
}

/** Throws a RangeError that says what is wrong with a secret, without repeating it. Call it before storing one. */
export function assertSecret(scheme: Scheme, secret: string): void {
  const problem = schemes[scheme].secretProblem(secret)
  if (problem !== null) throw new RangeError(`The ${scheme} webhook secret was not accepted: ${problem}`)
}
