import { useEffect, useRef } from 'react'
import type { LogSnapshot } from './log-store.ts'
import type { LogScroll } from './use-log-scroll.ts'

/**
 * The key of the row that the address names (`#L123`, or `#L123.2` for a later line of the same event). It is shown
 * once it is loaded; older events are fetched until it is.
 */
export function useLinkedRow(hash: string, log: LogSnapshot, scroll: LogScroll): string | null {
  const key = /^L(\d+(?:\.\d+)?)$/.exec(hash)?.[1] ?? null
  const shown = useRef<string | null>(null)
  const { rows, firstSeq, loaded } = log
  const { show, loadOlder, loadingOlder } = scroll
  useEffect(() => {
    if (key === null || !loaded || shown.current === key) return
    const seq = Number.parseInt(key, 10)
    if (firstSeq > seq) {
      if (!loadingOlder) loadOlder()
      return
    }
    const exact = rows.findIndex((row) => row.key === key)
    const index = exact !== -1 ? exact : rows.findIndex((row) => row.seq >= seq)
    if (index === -1) return
    shown.current = key
    show(index)
  })
  return key
}
