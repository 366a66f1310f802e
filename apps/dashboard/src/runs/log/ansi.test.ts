import { expect, test } from 'vitest'
import { plainText, toSegments } from './ansi.ts'

const looks = (carry: string, text: string) =>
  toSegments(carry, text).map(({ text, className }) => [text, className])

test('colours become classes and a reset ends them', () => {
  expect(looks('', 'a \u001b[31mred\u001b[0m b')).toEqual([
    ['a ', ''],
    ['red', 'ansi-red-fg'],
    [' b', ''],
  ])
})

test('a decoration that comes later does not reach back', () => {
  expect(looks('', '\u001b[1mbold\u001b[4mboth')).toEqual([
    ['bold', 'ansi-bold'],
    ['both', 'ansi-bold ansi-underline'],
  ])
})

test('the colours in force before the line hold in it', () => {
  expect(looks('\u001b[1;92m', 'ok')).toEqual([['ok', 'ansi-bright-green-fg ansi-bold']])
})

test('hidden text is shown, and free colours become a colour', () => {
  expect(toSegments('', '\u001b[8msecret')[0]).toMatchObject({ text: 'secret', className: '' })
  expect(toSegments('', '\u001b[38;5;196mx')[0]?.color).toContain('rgb(255, 0, 0)')
  expect(toSegments('', '\u001b[38;2;1;2;3mx')[0]?.color).toContain('rgb(1, 2, 3)')
})

test('every other control byte is shown as text', () => {
  const shown = toSegments('', 'a\u001b[2Kb\u0000c\u007fd\u202ee\ud800').map(({ text }) => text)
  expect(shown.join('')).toBe('a^[[2Kb^@c^?d⟨U+202E⟩e⟨U+D800⟩')
})

test('an emoji that is joined of several stays whole, and hidden tag characters show', () => {
  expect(toSegments('', '👩‍💻 \u{e0041}').map(({ text }) => text)).toEqual(['👩‍💻 ', '⟨U+E0041⟩'])
})

test('markup stays text', () => {
  expect(looks('', '<img src=x onerror=alert(1)>')).toEqual([['<img src=x onerror=alert(1)>', '']])
})

test('text to search has no colour codes', () => {
  expect(plainText('\u001b[31merror\u001b[0m: no')).toBe('error: no')
})
