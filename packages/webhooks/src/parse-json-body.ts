import { isUtf8 } from 'node:buffer'
import { locateJsonError } from './locate-json-error.ts'
import { type JsonShape, scanJsonShape } from './scan-json-shape.ts'

export type JsonRefusalReason = 'too_deep' | 'too_many_keys' | 'not_utf8' | 'not_json'

/**
 * `cleaned` says that the value differs from what was sent: a `__proto__` or `constructor` key was dropped, or a NUL
 * or lone surrogate, which Postgres cannot store, became U+FFFD. The raw body keeps the original.
 */
export type JsonBody =
  | { ok: true; value: unknown; cleaned: boolean }
  | { ok: false; reason: JsonRefusalReason; message: string }

const maxDepth = 64
const maxKeys = 50_000

/**
 * Parses a webhook body whose signature was verified. Never throws. A byte order mark is allowed, the last of repeated
 * keys wins, as in `JSON.parse`, and no key can reach a prototype.
 */
export function parseJsonBody(rawBody: Buffer): JsonBody {
  if (!isUtf8(rawBody)) return refuse('not_utf8', 'it is not UTF-8. Send it in UTF-8.')
  const text = rawBody.toString('utf8').replace(/^\ufeff/, '')
  const shape = scanJsonShape(text, { maxDepth, maxKeys })
  if (!shape.ok) return refuseShape(shape.reason)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refuse('not_json', whereItBreaks(text))
  }
  // Without an escape or one of these keys there is nothing to clean.
  const mayNeedCleaning = shape.reachesPrototype || text.includes('\\u')
  return mayNeedCleaning ? clean(value) : { ok: true, value, cleaned: false }
}

function refuse(reason: JsonRefusalReason, problem: string): JsonBody {
  return { ok: false, reason, message: `The body could not be read as JSON: ${problem}` }
}

function refuseShape(reason: Extract<JsonShape, { ok: false }>['reason']): JsonBody {
  return reason === 'too_deep'
    ? refuse(reason, `it is nested more than ${maxDepth} levels deep. Send a flatter body.`)
    : refuse(reason, `it has more than ${maxKeys} keys. Send a smaller body.`)
}

function whereItBreaks(text: string): string {
  if (text.trim() === '') return 'it is empty. Send at least {}.'
  const place = locateJsonError(text)
  return place === null
    ? 'it is not valid JSON.'
    : `line ${place.line}, column ${place.column}: expected ${place.expected}.`
}

function clean(parsed: unknown): JsonBody {
  let cleaned = false
  const cleanText = (text: string) => {
    const storable = text.toWellFormed().replaceAll('\0', '\ufffd')
    if (storable !== text) cleaned = true
    return storable
  }
  // As deep as the scan allowed, so recursion is safe.
  const cleanValue = (value: unknown): unknown => {
    if (typeof value === 'string') return cleanText(value)
    if (Array.isArray(value)) return value.map(cleanValue)
    if (typeof value !== 'object' || value === null) return value
    const kept = Object.entries(value).filter(([key]) => key !== '__proto__' && key !== 'constructor')
    if (kept.length < Object.keys(value).length) cleaned = true
    return Object.fromEntries(kept.map(([key, inner]) => [cleanText(key), cleanValue(inner)]))
  }
  return { ok: true, value: cleanValue(parsed), cleaned }
}
