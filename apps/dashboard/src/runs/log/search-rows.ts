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
