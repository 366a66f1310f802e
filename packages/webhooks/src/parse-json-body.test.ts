import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJsonBody, scanJsonShape } from './index.ts'
import { locateJsonError } from './locate-json-error.ts'

describe('scanJsonShape', () => {
  test('64 levels pass and 65 do not, mixed or not closed', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      expect(scanJsonShape(`${open.repeat(64)}1${close.repeat(64)}`)).toMatchObject({ ok: true })
      expect(scanJsonShape(open.repeat(65))).toEqual({ ok: false, reason: 'too_deep' })
    }
  })

  test('50,000 keys pass and one more does not, also when they are the same key', () => {
    const withKeys = (count: number) => `{${Array(count).fill('"a":1').join(',')}}`
    expect(scanJsonShape(withKeys(50_000))).toMatchObject({ ok: true })
    expect(scanJsonShape(withKeys(50_001))).toEqual({ ok: false, reason: 'too_many_keys' })
  })

  test('what stands in a string does not count, whatever is escaped', () => {
    const body = JSON.stringify({ 'a\\"[[[:::': '\\\\"{{{:::[[[', b: '"', c: '\\' })
    expect(scanJsonShape(body, { maxDepth: 1, maxKeys: 3 })).toMatchObject({ ok: true })
    expect(scanJsonShape('"never closed [[[ \\', { maxDepth: 1 })).toMatchObject({ ok: true })
  })

  test('depth and keys are counted as JSON.parse sees them', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const body = JSON.stringify(value)
        const { depth, keys } = measure(value)
        expect(scanJsonShape(body, { maxDepth: depth, maxKeys: keys })).toMatchObject({ ok: true })
        if (depth > 0)
          expect(scanJsonShape(body, { maxDepth: depth - 1 })).toMatchObject({ reason: 'too_deep' })
        if (keys > 0)
          expect(scanJsonShape(body, { maxKeys: keys - 1 })).toMatchObject({ reason: 'too_many_keys' })
      }),
    )
  })
})

describe('parseJsonBody', () => {
  test('gives what JSON.parse gives', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        const { value: parsed, cleaned } = parseJsonBody(Buffer.from(text)) as {
          value: unknown
          cleaned: boolean
        }
        if (!cleaned) expect(parsed).toEqual(JSON.parse(text))
      }),
    )
  })

  test('a byte order mark is passed over', () => {
    expect(parseJsonBody(Buffer.from('\ufeff{"a":1}'))).toEqual({ ok: true, value: { a: 1 }, cleaned: false })
  })

  test.each([
    ['{"__proto__":{"admin":true},"a":1}'],
    ['{"\\u005f_proto__":{"admin":true},"a":1}'],
    ['{"constructor":{"prototype":{"admin":true}},"a":1}'],
    ['{"\\u0063onstructor":1,"a":1}'],
    ['{"a":1,"__proto__":null}'],
    ['{"a":1,"__proto__" : "\\\\"}'],
  ])('%s loses the key that reaches for a prototype', (text) => {
    const body = parseJsonBody(Buffer.from(text))
    expect(body).toEqual({ ok: true, value: { a: 1 }, cleaned: true })
    expect(Object.getPrototypeOf((body as { value: object }).value)).toBe(Object.prototype)
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  test('such a key is dropped at every depth, and the words stay where they are values', () => {
    const text = '{"a":[{"b":{"__proto__":1,"c":"__proto__"}}],"d":"constructor"}'
    const value = { a: [{ b: { c: '__proto__' } }], d: 'constructor' }
    expect(parseJsonBody(Buffer.from(text))).toEqual({ ok: true, value, cleaned: true })
  })

  test('NUL and lone surrogates, which Postgres refuses, become U+FFFD; pairs stay', () => {
    const text = '{"a\\u0000":"x\\u0000y","b":["\\ud800","\\ud83d\\ude80"]}'
    const value = { 'a\ufffd': 'x\ufffdy', b: ['\ufffd', '🚀'] }
    expect(parseJsonBody(Buffer.from(text))).toEqual({ ok: true, value, cleaned: true })
  })

  test.each([
    ['{"a":1,}', 'not_json', 'line 1, column 8: expected a key in double quotes.'],
    ['{\n  "a": 1\n  "b": 2\n}', 'not_json', 'line 3, column 3: expected a comma or }.'],
    ['{"a":tru}', 'not_json', 'line 1, column 6: expected a value.'],
    ["{'a':1}", 'not_json', 'line 1, column 2: expected a key in double quotes or }.'],
    ['[1,2', 'not_json', 'line 1, column 5: expected a comma or ].'],
    ['{"a" 1}', 'not_json', 'line 1, column 6: expected a colon after the key.'],
    [
      '{"a":"b\nc"}',
      'not_json',
      'line 1, column 8: expected an escape such as \\n in place of a control character.',
    ],
    ['"\\x41"', 'not_json', 'line 1, column 2: expected a known escape.'],
    ['"abc', 'not_json', 'line 1, column 5: expected a closing double quote.'],
    ['{} {}', 'not_json', 'line 1, column 4: expected the end of the body.'],
    ['[01]', 'not_json', 'line 1, column 3: expected a comma or ].'],
    ['', 'not_json', 'it is empty. Send at least {}.'],
    [' \n', 'not_json', 'it is empty. Send at least {}.'],
    [Buffer.from([0x22, 0xff, 0x22]), 'not_utf8', 'it is not UTF-8. Send it in UTF-8.'],
    ['['.repeat(100_000), 'too_deep', 'it is nested more than 64 levels deep. Send a flatter body.'],
    [`{${'"a":1,'.repeat(1e6)}`, 'too_many_keys', 'it has more than 50000 keys. Send a smaller body.'],
  ])('%# refused: %.30s', (body, reason, problem) => {
    const message = `The body could not be read as JSON: ${problem}`
    expect(parseJsonBody(Buffer.from(body as string))).toEqual({ ok: false, reason, message })
  })

  test('a place is named for exactly what JSON.parse refuses', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '\\',
      '\\n',
      '\\u12',
      '1',
      '-',
      '0',
      '.5',
      'e+',
      'true',
      'nul',
      ' ',
      '\n',
      '\t',
      'é',
      '\u2028',
      '\x7f',
    )
    const nearlyJson = fc
      .tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.nat(3), pieces)
      .map(([json, at, cut, piece]) => {
        const start = at % (json.length + 1)
        return json.slice(0, start) + piece + json.slice(start + cut)
      })
    fc.assert(
      fc.property(
        fc.oneof(
          nearlyJson,
          fc.array(pieces).map((parts) => parts.join('')),
        ),
        (text) => {
          expect(locateJsonError(text) === null).toBe(isJson(text))
        },
      ),
      { numRuns: 5000 },
    )
  })

  test('a mistake at the end of 8 MiB of one string is found', () => {
    const text = `{"a":"${'x'.repeat(2 ** 23)}"`
    expect(parseJsonBody(Buffer.from(text))).toMatchObject({
      message: expect.stringContaining('expected a comma or }'),
    })
  })
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function measure(value: unknown): { depth: number; keys: number } {
  if (typeof value !== 'object' || value === null) return { depth: 0, keys: 0 }
  const inner = Object.values(value).map(measure)
  const own = Array.isArray(value) ? 0 : inner.length
  return {
    depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)),
    keys: own + inner.reduce((sum, { keys }) => sum + keys, 0),
  }
}
