import { type DistinctHeaders, type Refusal, type RefusalReason, refuse } from './verification.ts'

/** Visible ASCII. A full stop is refused where the id is signed, because it separates the signed parts. */
const ID = /^[\x21-\x7e]{1,256}$/

/** The one value of a header that must be there. A header sent twice is refused, never joined or chosen from. */
export function readHeader(
  headers: DistinctHeaders,
  name: string,
  missing: { reason: RefusalReason; message: string },
): { ok: true; value: string } | Refusal {
  const values = headers[name] ?? []
  const value = values[0]
  if (value === undefined) return refuse(missing.reason, missing.message)
  if (values.length > 1) return duplicate(name, values.length)
  return { ok: true, value }
}

/** The delivery id of a header that may be absent. */
export function readOptionalId(
  headers: DistinctHeaders,
  name: string,
): { ok: true; id: string | null } | Refusal {
  const values = headers[name] ?? []
  const value = values[0]
  if (value === undefined) return { ok: true, id: null }
  if (values.length > 1) return duplicate(name, values.length)
  if (!ID.test(value)) {
    return refuse(
      'malformed_id',
      `its ${name} header must be 1 to 256 visible ASCII characters without spaces.`,
    )
  }
  return { ok: true, id: value }
}

function duplicate(name: string, count: number): Refusal {
  return refuse('duplicate_header', `it carries ${count} ${name} headers. Send exactly one.`)
}
