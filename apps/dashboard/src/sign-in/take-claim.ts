/**
 * The secret of a one-time sign-in link (`/#claim=<secret>`), or null. It leaves the address at once, so that it is in
 * no history, no bookmark and no screenshot.
 */
export function takeClaim(
  location: Pick<Location, 'hash' | 'pathname' | 'search'>,
  history: Pick<History, 'replaceState'>,
): string | null {
  const secret = /^#claim=(.+)$/.exec(location.hash)?.[1]
  if (secret === undefined) return null
  history.replaceState(null, '', location.pathname + location.search)
  return decodeURIComponent(secret)
}
