/** One setting: how its value is read and what is said when it cannot be. */
export interface Field<Value> {
  /** The environment variable, when it is not `BATON_` and the name. */
  env?: string
  required: boolean
  default: Value
  /** Never repeated in a message. */
  secret: boolean
  /** Completes "must be …". */
  expected: string
  /** Undefined when the raw value (a text from the environment, anything from a file) is not acceptable. */
  parse(raw: unknown): Value | undefined
}

export interface FieldOptions<Value> {
  env?: string
  /** Without a default and not optional, the setting is required. */
  default?: Value
  optional?: boolean
  secret?: boolean
}

type Optional = { optional: true; default?: undefined }
type Rule<Value> = Pick<Field<Value>, 'expected' | 'parse'>

/** A text of at least one character, or of `min`. */
export function text(options: FieldOptions<string> & Optional & { min?: number }): Field<string | undefined>
export function text(options?: FieldOptions<string> & { min?: number }): Field<string>
export function text({ min = 1, ...options }: FieldOptions<string> & { min?: number } = {}): Field<string> {
  const expected = min > 1 ? `a text of at least ${min} characters` : 'a text'
  return field(options, {
    expected,
    parse: (raw) => (typeof raw === 'string' && raw.length >= min ? raw : undefined),
  })
}

/** A whole number within bounds. */
export function integer(options: FieldOptions<number> & Optional & Bounds): Field<number | undefined>
export function integer(options?: FieldOptions<number> & Bounds): Field<number>
export function integer({ min, max, ...options }: FieldOptions<number> & Bounds = {}): Field<number> {
  const low = min ?? Number.MIN_SAFE_INTEGER
  const high = max ?? Number.MAX_SAFE_INTEGER
  return field(options, {
    expected: `a whole number${describeBounds(min, max)}`,
    parse: (raw) => {
      const number = typeof raw === 'string' && /^[+-]?\d+$/.test(raw.trim()) ? Number(raw) : raw
      return typeof number === 'number' && Number.isSafeInteger(number) && number >= low && number <= high
        ? number
        : undefined
    },
  })
}

/** `1`, `true`, `yes`, `on` and their opposites. Off unless given. */
export function toggle(options: FieldOptions<boolean> = {}): Field<boolean> {
  const words = new Map([
    ...['1', 'true', 'yes', 'on'].map((word) => [word, true] as const),
    ...['0', 'false', 'no', 'off'].map((word) => [word, false] as const),
  ])
  return field(
    { default: false, ...options },
    {
      expected: 'true or false',
      parse: (raw) => words.get(String(raw).toLowerCase()),
    },
  )
}

/** One of the given words. */
export function choice<const Word extends string>(
  words: readonly Word[],
  options: FieldOptions<Word> = {},
): Field<Word> {
  return field(options, {
    expected: `one of ${words.join(', ')}`,
    parse: (raw) => words.find((word) => word === raw),
  })
}

/** An absolute URL of one of the given protocols, kept as it was written but without a closing slash. */
export function url(options: FieldOptions<string> & Optional & Protocols): Field<string | undefined>
export function url(options?: FieldOptions<string> & Protocols): Field<string>
export function url({
  protocols = ['http', 'https'],
  ...options
}: FieldOptions<string> & Protocols = {}): Field<string> {
  return field(options, {
    expected: `a URL that begins with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`,
    parse: (raw) => {
      if (typeof raw !== 'string' || !URL.canParse(raw)) return undefined
      return protocols.includes(new URL(raw).protocol.slice(0, -1)) ? raw.replace(/\/+$/, '') : undefined
    },
  })
}

interface Bounds {
  min?: number
  max?: number
}

interface Protocols {
  protocols?: readonly string[]
}

function field<Value>(options: FieldOptions<Value>, rule: Rule<Value>): Field<Value> {
  return {
    ...rule,
    ...(options.env && { env: options.env }),
    required: options.default === undefined && !options.optional,
    // Without a default it is only read from an optional field, whose type says so.
    default: options.default as Value,
    secret: options.secret ?? false,
  }
}

function describeBounds(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`
  if (min !== undefined) return ` of at least ${min}`
  return max === undefined ? '' : ` of at most ${max}`
}
