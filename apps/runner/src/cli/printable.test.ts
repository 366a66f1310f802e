/* oxlint-disable no-control-regex */
import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { printable } from './printable.ts'

test('plain text, tabs and line feeds come through unchanged', () => {
  expect(printable('one\ttwo\nthree ünï 🎉')).toBe('one\ttwo\nthree ünï 🎉')
})

test('colours stay only where they are wanted', () => {
  expect(printable('\x1b[1;31mred\x1b[0m', { colours: true })).toBe('\x1b[1;31mred\x1b[0m')
  expect(printable('\x1b[1;31mred\x1b[0m')).toBe('red')
})

test('what moves the cursor, clears, sets a title or a link or asks the terminal is taken out', () => {
  for (const sequence of [
    '\x1b[2J',
    '\x1b[10;10H',
    '\x1b[6n',
    '\x1b]0;title\x07',
    '\x1b]8;;http://evil\x1b\\',
    '\x1bP+q544e\x1b\\',
    '\x1b[?1049h',
  ]) {
    expect(printable(`a${sequence}b`, { colours: true }), JSON.stringify(sequence)).toBe('ab')
  }
})

test('other control characters and marks that turn the reading direction are made visible', () => {
  expect(printable('a\x07b\x00c\x7fd\x9be')).toBe('a^Gb^@c^?d<U+009B>e')
  expect(printable('user\u202enimda')).toBe('user<U+202E>nimda')
  expect(printable('over\rwritten\r\nline')).toBe('over^Mwritten\nline')
})

test('nothing but colours ever reaches the terminal, whatever an agent prints', () => {
  const hostile = fc.string({
    unit: fc.constantFrom('\x1b', '[', ']', 'm', '3', ';', '\x07', '\x9b', '\\', 'P', 'A', 'x'),
  })
  fc.assert(
    fc.property(hostile, (text) => {
      const shown = printable(text, { colours: true })
      // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what is looked for
      expect(shown.replace(/\x1b\[[0-9;:]*m/g, '')).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/)
      expect(stripVTControlCharacters(printable(text))).toBe(printable(text))
    }),
  )
})
