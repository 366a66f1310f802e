import type { RunEventBody } from '@baton/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRowBuilder, type LogRow, ROW_CHARS } from './rows.ts'

function rowsOf(...bodies: RunEventBody[]): LogRow[] {
  const builder = createRowBuilder()
  bodies.forEach((body, index) => {
    builder.add({ seq: index + 1, at: index, ...body })
  })
  return builder.rows
}

const out = (text: string): RunEventBody => ({ type: 'output', stream: 'stdout', text })
const err = (text: string): RunEventBody => ({ type: 'output', stream: 'stderr', text })
const texts = (rows: LogRow[]) => rows.map((row) => (row.kind === 'line' ? row.text : row.kind))

test('an event with several lines becomes a row for each, named by the event and its part', () => {
  const rows = rowsOf(out('one\ntwo\r\n\nfour\n'))
  expect(texts(rows)).toEqual(['one', 'two', '', 'four'])
  expect(rows.map((row) => row.key)).toEqual(['1', '1.1', '1.2', '1.3'])
})

test('a line that comes in pieces is one row, also when the other stream speaks in between', () => {
  expect(texts(rowsOf(out('half '), err('oops\n'), out('a line\nnext')))).toEqual([
    'half a line',
    'oops',
    'next',
  ])
})

test('a lone carriage return ends a row and stays in it', () => {
  expect(texts(rowsOf(out('10%\r20%\rdone\n')))).toEqual(['10%\r', '20%\r', 'done'])
})

test('a carriage return at the end of an event is half of a line end when a newline follows', () => {
  expect(texts(rowsOf(out('one\r'), out('\ntwo\n')))).toEqual(['one', 'two'])
  expect(texts(rowsOf(out('10%\r'), out('20%\n')))).toEqual(['10%\r', '20%'])
})

test('a line that is too long goes on in further rows and no character is lost or split', () => {
  const text = '😀'.repeat(ROW_CHARS)
  const rows = rowsOf(out(text), out('tail\n'))
  expect(texts(rows).join('')).toBe(`${text}tail`)
  expect(rows.every((row) => row.kind === 'line' && row.text.length <= ROW_CHARS)).toBe(true)
  expect(rows.slice(1).every((row) => row.kind === 'line' && row.continued)).toBe(true)
})

test('a colour holds over lines until it is reset', () => {
  const rows = rowsOf(out('\u001b[31mred\nstill red\u001b[0m\nplain\n'))
  expect(rows.map((row) => row.kind === 'line' && row.carry)).toEqual(['', '\u001b[31m', ''])
})

test('the end of a tool joins its start, and one without a start stands alone', () => {
  const rows = rowsOf(
    { type: 'tool_started', id: 'a', name: 'Bash', input: {} },
    out('meanwhile\n'),
    { type: 'tool_finished', id: 'a', ok: true, output: 'done', exitCode: 0 },
    { type: 'tool_finished', id: 'b', ok: false, output: 'lost', exitCode: 1 },
  )
  expect(rows.map((row) => row.kind)).toEqual(['tool', 'line', 'tool'])
  expect(rows[0]).toMatchObject({ start: { name: 'Bash' }, finish: { output: 'done' } })
  expect(rows[2]).toMatchObject({ start: null, finish: { output: 'lost' } })
})

test('bytes that are no UTF-8 are shown by their numbers', () => {
  expect(texts(rowsOf({ type: 'output', stream: 'stdout', base64: btoa('a\xff\n') }))).toEqual(['a⟨ff⟩'])
})

test('however output is cut into events, the rows hold the same text', () => {
  const piece = fc.string({
    unit: fc.constantFrom('a', '\n', '\r', 'é', '\u001b[31m', '\u001b[0m'),
    maxLength: 40,
  })
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const rows = rowsOf(...pieces.map(out))
      const expected = pieces.join('').replaceAll('\n', '').replaceAll('\r', '')
      expect(texts(rows).join('').replaceAll('\r', '')).toBe(expected)
    }),
  )
})
