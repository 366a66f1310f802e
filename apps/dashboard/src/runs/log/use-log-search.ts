import { useEffect, useRef, useState } from 'react'
import type { LogRow } from './rows.ts'
import { type Found, searchRows } from './search-rows.ts'

const AFTER_TYPING_MS = 80
const REFRESH_EVERY_MS = 1_000

/**
 * Where the text is in all loaded rows, or null while nothing is searched for. Answers soon after typing; new lines are
 * looked through once a second, however fast they come.
 */
export function useLogSearch(rows: readonly LogRow[], text: string): Found | null {
  const [found, setFound] = useState<Found | null>(null)
  const latest = useRef(rows)
  latest.current = rows
  useEffect(() => {
    if (text === '') {
      setFound(null)
      return
    }
    let searched: readonly LogRow[] | null = null
    const search = () => {
      if (searched === latest.current) return
      searched = latest.current
      setFound(searchRows(searched, text))
    }
    const soon = setTimeout(search, AFTER_TYPING_MS)
    const again = setInterval(search, REFRESH_EVERY_MS)
    return () => {
      clearTimeout(soon)
      clearInterval(again)
    }
  }, [text])
  return found
}
