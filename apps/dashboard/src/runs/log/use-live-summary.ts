import { useEffect, useRef, useState } from 'react'
import { plural } from '../../elements/format.ts'
import { isErrorRow } from './is-error-row.ts'
import type { LogRow } from './rows.ts'

const SAY_EVERY_MS = 10_000

/** "42 new lines, 1 error" every ten seconds at most: what a screen reader hears of a log that is not read out itself. */
export function useLiveSummary(rows: readonly LogRow[], live: boolean): string {
  const latest = useRef(rows)
  latest.current = rows
  const [said, setSaid] = useState('')
  useEffect(() => {
    if (!live) return
    let toldKey = latest.current.at(-1)?.key
    const timer = setInterval(() => {
      const all = latest.current
      const last = all.at(-1)?.key
      if (last === toldKey) return
      const fresh = all.slice(all.findLastIndex((row) => row.key === toldKey) + 1)
      const errors = fresh.filter(isErrorRow).length
      setSaid(`${plural(fresh.length, 'new line')}${errors > 0 ? `, ${plural(errors, 'error')}` : ''}`)
      toldKey = last
    }, SAY_EVERY_MS)
    return () => clearInterval(timer)
  }, [live])
  return said
}
