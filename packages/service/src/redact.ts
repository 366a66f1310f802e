import { stdSerializers } from 'pino'

const hidden = '[redacted]'
/** Whole words of a name, so that `tokensUsed` and `monkey` are shown. Counts and flags are shown under any name. */
const secretNames =
  /^(.*(authorization|cookie|secret|password|passphrase|credential|token)s?|(.*(api|access|machine|private|signing|encryption)[-_]?)?keys?)$/i
/** Our own keys and tokens, anybody's bearer token, and the password in a URL. */
const secretTexts =
  /\b(?:sk_machine|bt)_[\w-]{8,}|(?<=\bBearer\s)[\w.~+/=-]+|(?<=:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/gi
const deepest = 8

/** A copy for the log: values under secret names are masked at any depth, errors become plain objects. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > deepest) return '[too deep]'
  if (value instanceof Error) return redact({ ...stdSerializers.err(value) }, depth + 1)
  if (value instanceof Date || ArrayBuffer.isView(value)) return describe(value)
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      isSecret(name, item) ? hidden : redact(item, depth + 1),
    ]),
  )
}

/** Masks what looks like a secret within a text, whatever its name. */
export function redactText(text: string): string {
  return text.replace(secretTexts, hidden)
}

function isSecret(name: string, value: unknown): boolean {
  return (
    secretNames.test(name) && (typeof value === 'string' || (typeof value === 'object' && value !== null))
  )
}

function describe(value: Date | ArrayBufferView): string {
  return value instanceof Date ? value.toISOString() : `[${value.byteLength} bytes]`
}
