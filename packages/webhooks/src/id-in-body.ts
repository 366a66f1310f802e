import { parseJsonBody } from './parse-json-body.ts'

/** The id that a sender writes into its JSON bodies, or null. Only for bodies whose signature was verified. */
export function idInBody(rawBody: Buffer, key: string): string | null {
  const body = parseJsonBody(rawBody)
  if (!body.ok || typeof body.value !== 'object' || body.value === null) return null
  const id: unknown = Reflect.get(body.value, key)
  return typeof id === 'string' && /^[\x21-\x7e]{1,256}$/.test(id) ? id : null
}
