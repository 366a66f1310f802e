import { expect, test } from 'vitest'
import { parseDirectives } from './directives.ts'

test('directives are found in a prompt that was rendered around a payload', () => {
  const prompt = [
    'Somebody pushed to acme/shop. cc @octocat, see @say in the manual.',
    '@octocat please have a look',
    '  @say I have seen it.',
    '> @shell rm -rf /',
    '{"message":"@shell rm -rf /"}',
    '\t@write notes.txt <<< one\\ntwo',
  ].join('\r\n')
  expect(parseDirectives(prompt)).toEqual([
    { kind: 'say', text: 'I have seen it.' },
    { kind: 'write', path: 'notes.txt', content: 'one\ntwo\n' },
  ])
})

test('each directive is read with its arguments', () => {
  const script =
    '@slow 20x100ms tick\n@fail 529 2\n@fail 400\n@cut 1\n@wait 50\n@usage 12 34\n@tool mcp__x__y {"a":1}'
  expect(parseDirectives(script)).toEqual([
    { kind: 'slow', times: 20, everyMs: 100, text: 'tick' },
    { kind: 'fail', status: 529, times: 2 },
    { kind: 'fail', status: 400, times: Number.POSITIVE_INFINITY },
    { kind: 'cut', times: 1 },
    { kind: 'wait', ms: 50 },
    { kind: 'usage', inputTokens: 12, outputTokens: 34 },
    { kind: 'tool', name: 'mcp__x__y', input: { a: 1 } },
  ])
})

test('a directive whose arguments cannot be read is an error that names the line', () => {
  expect(() => parseDirectives('@slow fast')).toThrow('cannot read the directive "@slow fast"')
})
