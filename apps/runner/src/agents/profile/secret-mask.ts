/** Shorter values are words that a transcript needs; nothing that short is safe as a secret. */
const SHORTEST = 8

/** Takes the values of secrets out of what an agent printed and did. */
export type SecretMask = {
  /** The text with every value, in any form that is looked for, as `***NAME***`. */
  text(text: string): string
  /** The same for every string in plain data, keys included. */
  deep<T>(value: T): T
  /** Where values are in bytes written as latin1, one after the other. */
  find(latin1: string): Found[]
  /** How many characters at the end of such a text could be the beginning of a value. */
  openEnd(latin1: string): number
}
export type Found = { start: number; end: number; name: string }

/**
 * Looks for the values as they are and as programs often write them: escaped in JSON or a URL, in base64 wherever they
 * begin in what was encoded, and in hexadecimal. Null when there is nothing to look for.
 */
export function createSecretMask(values: Readonly<Record<string, string>>): SecretMask | null {
  const needles = new Map<string, string>()
  for (const [name, value] of Object.entries(values)) {
    for (const form of formsOf(value)) if (form.length >= SHORTEST) needles.set(form, name)
  }
  if (needles.size === 0) return null
  const longestFirst = [...needles.keys()].toSorted((one, other) => other.length - one.length)
  const pattern = new RegExp(longestFirst.map((form) => escaped(form)).join('|'), 'g')
  const text = (given: string) => given.replace(pattern, (form) => shown(needles.get(form) ?? ''))

  const latin1 = new Map([...needles].map(([form, name]) => [Buffer.from(form).toString('latin1'), name]))
  const forms = [...latin1.keys()].toSorted((one, other) => other.length - one.length)
  const bytes = new RegExp(forms.map((form) => escaped(form)).join('|'), 'g')

  return {
    text,
    deep: (value) => mapStrings(value, text),
    find: (given) =>
      [...given.matchAll(bytes)].map((match) => ({
        start: match.index,
        end: match.index + match[0].length,
        name: latin1.get(match[0]) ?? '',
      })),
    openEnd(given) {
      const longest = Math.min(given.length, (forms[0]?.length ?? 1) - 1)
      for (let length = longest; length > 0; length--) {
        const end = given.slice(-length)
        if (forms.some((form) => form.length > length && form.startsWith(end))) return length
      }
      return 0
    },
  }
}

/** For a run whose secrets nobody can name any more: then nothing that it says may be told. */
export const hideAll: SecretMask = {
  text: (text) => (text === '' ? '' : '***'),
  deep: (value) => mapStrings(value, (text) => (text === '' ? '' : '***')),
  find: (latin1) => (latin1 === '' ? [] : [{ start: 0, end: latin1.length, name: 'HIDDEN' }]),
  openEnd: () => 0,
}

/** For a regular expression that finds exactly this text. */
const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

export const shown = (name: string) => `***${name}***`

function formsOf(value: string): string[] {
  const bytes = Buffer.from(value)
  const base64 = [0, 1, 2].map((shift) => base64Within(bytes, shift))
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    ...base64,
    ...base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
  ]
}

/** What of the bytes is the same in the base64 of any text that has them `shift` bytes after a multiple of three. */
function base64Within(bytes: Buffer, shift: number): string {
  const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replace(/=+$/, '')
  const isWhole = (bytes.length + shift) % 3 === 0
  return encoded.slice([0, 2, 3][shift], isWhole ? undefined : -1)
}

function mapStrings<T>(value: T, map: (text: string) => string): T {
  if (typeof value === 'string') return map(value) as T
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((one) => mapStrings(one, map)) as T
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [map(key), mapStrings(one, map)])) as T
}
