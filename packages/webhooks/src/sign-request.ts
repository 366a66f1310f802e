import { schemes } from './schemes/schemes.ts'
import type { Scheme, UnsignedRequest } from './verification.ts'

/**
 * The headers, in lower case, that make a receiver with the same secret accept `body`. The receiver must get exactly
 * these bytes. `id` is sent where the scheme has a place for it; `standard` cannot do without.
 * Throws a RangeError when the secret, id or time cannot be used in the scheme.
 */
export function signRequest({
  scheme,
  ...request
}: UnsignedRequest & { scheme: Scheme }): Record<string, string> {
  return schemes[scheme].sign(request)
}
