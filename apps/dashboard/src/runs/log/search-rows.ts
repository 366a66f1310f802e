import { rowText } from './row-text.ts'
import type { LogRow } from './rows.ts'

/** Rows that hold the text, and how often all of them do together. */
export type Found = { rows: number[]; count: number }

/** Finds text in all rows that are loaded, whatever is folded or out of sight; upper and lower case are the same. */
export function searchRows(rows: readonly LogRow[], text: string): Found {
  const wanted = text.toLowerCase()
  const found: Found = { rows: [], count: 0 }
  if (wanted === '') return found
  rows.forEach((row, index) => {
    const times = countIn(rowText(row).toLowerCase(), wanted)
    if (times === 0) return
    found.rows.push(index)
    found.count += times
  })
  return found
}

function countIn(text: string, wanted: string): number {
  let count = 0
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + wanted.length)) count += 1
  return count
}

/** An explicit failure, or a line that says so itself. */
export function isErrorRow(row: LogRow): boolean {
  if (row.kind === 'tool') return row.finish?.ok === false
  if (row.kind === 'line') return ERROR_LINE.test(row.text)
  if (row.kind !== 'note') return false
  const { event } = row
  if (event.type === 'finished') return event.state !== 'succeeded'
  return event.type === 'permission_denied' || event.type === 'killed'
}

const ERROR_LINE = /\b(?:error|fatal|panic|exception|traceback)\b\s*[:[(!]|\bERR!|^\s*(?:✕|✗)\s/i
