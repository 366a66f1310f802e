import { expect, test } from 'vitest'
import { createRowBuilder, type LogRow } from './rows.ts'
import { searchRows } from './search-rows.ts'

function lines(text: string): LogRow[] {
  const builder = createRowBuilder()
  builder.add({ seq: 1, at: 0, type: 'output', stream: 'stdout', text })
  return builder.rows
}

test('every occurrence counts, in any case, through colour codes', () => {
  expect(searchRows(lines('Foo foo\nbar\nf\u001b[31mOO\u001b[0m\n'), 'foo')).toEqual({
    rows: [0, 2],
    count: 3,
  })
})

test('searching for nothing finds nothing', () => {
  expect(searchRows(lines('a\n'), '')).toEqual({ rows: [], count: 0 })
})

test('a line is an error when it says so, not when it only mentions the word', () => {
  const builder = createRowBuilder()
  const text = 'Error: no\nnpm ERR! code 1\n0 errors found\nno error here\nerror[E0308]: mismatched\n'
  builder.add({ seq: 1, at: 0, type: 'output', stream: 'stdout', text })
  expect(builder.errors).toEqual([0, 1, 4])
})

test('a row becomes an error when its end says so: a tool that fails later, a line that is completed', () => {
  const builder = createRowBuilder()
  const at = { seq: 1, at: 0 }
  builder.add({ ...at, type: 'tool_started', id: 'a', name: 'Bash', input: {} })
  builder.add({ ...at, type: 'output', stream: 'stdout', text: 'fine\nErr' })
  builder.add({ ...at, type: 'output', stream: 'stdout', text: 'or: no\n' })
  builder.add({ ...at, type: 'tool_finished', id: 'a', ok: false, output: '', exitCode: 1 })
  expect(builder.errors).toEqual([0, 2])
})
