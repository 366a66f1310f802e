import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react'
import type { LogRow } from './rows.ts'
import { type Found, isErrorRow, searchRows } from './search-rows.ts'

const REFRESH_EVERY_MS = 500

/** Rows at most twice a second: what is computed over all of them need not keep up with every frame. */
export function useCalmRows(rows: readonly LogRow[]): readonly LogRow[] {
  const [calm, setCalm] = useState(rows)
  const at = useRef(0)
  useEffect(() => {
    const timer = setTimeout(
      () => {
        at.current = performance.now()
        setCalm(rows)
      },
      Math.max(0, at.current + REFRESH_EVERY_MS - performance.now()),
    )
    return () => clearTimeout(timer)
  }, [rows])
  return calm
}

export function useLogSearch(rows: readonly LogRow[], text: string): Found | null {
  const wanted = useDeferredValue(text)
  return useMemo(() => (wanted === '' ? null : searchRows(rows, wanted)), [rows, wanted])
}

/** Indexes of the rows that are errors. */
export function useErrorRows(rows: readonly LogRow[]): number[] {
  return useMemo(() => rows.flatMap((row, index) => (isErrorRow(row) ? [index] : [])), [rows])
}
