export interface JsonErrorPlace {
  line: number
  column: number
  expected: string
}

type Expect = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end'

type Step = { at: number; expect: Expect } | { at: number; problem: string }

const SPACE = /[ \t\r\n]*/y
const SCALAR = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y
const PLAIN_CHARACTERS = /[\x20\x21\x23-\x5b\x5d-\uffff]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/**
 * Where a text stops being JSON and what should stand there; null for valid JSON. Line and column count from 1, the
 * column in UTF-16 units. `JSON.parse` names a position for some errors only, and in words that change between versions.
 */
export function locateJsonError(text: string): JsonErrorPlace | null {
  const closers: string[] = []
  let expect: Expect = 'value'
  let at = skip(SPACE, text, 0)
  while (expect !== ', or end' || closers.length > 0 || at < text.length) {
    const step: Step =
      expect === ', or end' ? afterValue(text, at, closers) : token(text, at, expect, closers)
    if ('problem' in step) return placeAt(text, step.at, step.problem)
    expect = step.expect
    at = skip(SPACE, text, step.at)
  }
  return null
}

function afterValue(text: string, at: number, closers: string[]): Step {
  const closer = closers.at(-1)
  if (closer === undefined) return { at, problem: 'the end of the body' }
  if (text[at] === ',') return { at: at + 1, expect: closer === '}' ? 'key' : 'value' }
  if (text[at] !== closer) return { at, problem: `a comma or ${closer}` }
  closers.pop()
  return { at: at + 1, expect: ', or end' }
}

function token(text: string, at: number, expect: Exclude<Expect, ', or end'>, closers: string[]): Step {
  const char = text[at]
  if (expect === ':')
    return char === ':' ? { at: at + 1, expect: 'value' } : { at, problem: 'a colon after the key' }
  if ((expect === 'key or }' && char === '}') || (expect === 'value or ]' && char === ']')) {
    closers.pop()
    return { at: at + 1, expect: ', or end' }
  }
  const isKey = expect === 'key' || expect === 'key or }'
  if (char === '"') return afterString(text, at, isKey ? ':' : ', or end')
  if (isKey) return { at, problem: expect.replace('key', 'a key in double quotes') }
  if (char === '{' || char === '[') {
    closers.push(char === '{' ? '}' : ']')
    return { at: at + 1, expect: char === '{' ? 'key or }' : 'value or ]' }
  }
  const end = skip(SCALAR, text, at)
  return end > at ? { at: end, expect: ', or end' } : { at, problem: `a ${expect}` }
}

function afterString(text: string, start: number, expect: Expect): Step {
  let at = start + 1
  for (;;) {
    at = skip(PLAIN_CHARACTERS, text, at)
    if (text[at] === '"') return { at: at + 1, expect }
    if (text[at] === undefined) return { at, problem: 'a closing double quote' }
    const end = skip(ESCAPE, text, at)
    if (end === at)
      return {
        at,
        problem:
          text[at] === '\\' ? 'a known escape' : 'an escape such as \\n in place of a control character',
      }
    at = end
  }
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return at + (pattern.exec(text)?.[0].length ?? 0)
}

function placeAt(text: string, at: number, expected: string): JsonErrorPlace {
  const before = text.slice(0, at)
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: at - lineStart + 1, expected }
}
