import { expect, test } from 'vitest'
import { cleanText, cleanValue } from './clean-text.ts'

test.each([
  ['zero width', 'a\u200bb\u200c\u200d\u2060\ufeffc', 'abc'],
  ['direction marks and overrides', 'a\u202eb\u2066c\u200f', 'abc'],
  ['tag characters', 'go\u{e0001}\u{e0041}\u{e007f}', 'go'],
  ['variation selectors', 'a\ufe0f\u{e0100}b', 'ab'],
  ['soft hyphens and fillers', 'a\u00ad\u115f\u3164b', 'ab'],
  ['control characters', 'a\u0000\u001b[31mb\u0085\u007f', 'a[31mb'],
  ['line separators', 'a\u2028b\u2029c', 'abc'],
  ['a comment', 'a<!-- hidden -->b', 'ab'],
  ['a comment that is never closed', 'a<!-- hidden', 'a'],
  ['a comment inside what a comment leaves', 'a<!<!-- x -->-- evil -->b', 'ab'],
  ['a comment that hidden characters tear apart', 'a<!\u200b-- x -->b', 'ab'],
  ['lone surrogates', 'a\ud800b', 'a\ufffdb'],
])('%s', (_, text, clean) => {
  expect(cleanText(text).text).toBe(clean)
})

test('what people write stays as it is, and what was taken out is counted', () => {
  const text = 'Grüße 👋, 日本語\n\tcode `a<b>` -- x\n'
  expect(cleanText(text)).toEqual({ text, hidden: 0, comments: 0 })
  expect(cleanText('a\u200b\u200bb<!-- -->')).toEqual({ text: 'ab', hidden: 2, comments: 1 })
})

test('a megabyte of beginnings of comments takes no time to speak of', () => {
  const began = performance.now()
  expect(cleanText('<!--'.repeat(250_000)).text).toBe('')
  expect(cleanText('<!-- -->'.repeat(120_000)).text).toBe('')
  expect(performance.now() - began).toBeLessThan(1_000)
})

test('keys are cleaned, too', () => {
  expect(cleanValue({ 'a\u200b': ['b\u202e', { c: 1 }] })).toEqual({ a: ['b', { c: 1 }] })
})
