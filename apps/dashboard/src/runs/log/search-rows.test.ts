import { expect, test } from 'vitest'
import { createRowBuilder, type LogRow } from './rows.ts'
import { isErrorRow, searchRows } from './search-rows.ts'

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
  const rows = lines('Error: no\nnpm ERR! code 1\n0 errors found\nno error here\nerror[E0308]: mismatched\n')
  expect(rows.map(isErrorRow)).toEqual([true, true, false, false, true])
})
