import { useRouterState } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'

/**
 * After a change of page the focus goes to the page when what had it is gone, so that the keyboard goes on there and
 * not at the top of everything. Where the focus still is somewhere, as in the rail, it stays.
 */
export function usePageChange(): void {
  const pathname = useRouterState({ select: (state) => state.resolvedLocation?.pathname })
  const before = useRef<string | undefined>(undefined)
  useEffect(() => {
    const isFirst = before.current === undefined
    before.current = pathname
    if (isFirst || document.activeElement !== document.body) return
    document.getElementById('main')?.focus({ preventScroll: true })
  }, [pathname])
}
