const STORED_AS = 'baton.reloaded-at'
const ONCE_WITHIN_MS = 60_000

/**
 * After an upgrade of the relay a piece of the version that is open here is gone. The page then loads afresh; once in a
 * minute at most, so that a piece that is really missing ends in an error that is shown.
 */
export function reloadAfterUpgrade(): void {
  window.addEventListener('vite:preloadError', (event) => {
    try {
      const before = Number(sessionStorage.getItem(STORED_AS))
      if (Date.now() - before < ONCE_WITHIN_MS) return
      sessionStorage.setItem(STORED_AS, String(Date.now()))
    } catch {
      // Without storage nobody could tell a second time from the first.
      return
    }
    event.preventDefault()
    window.location.reload()
  })
}
