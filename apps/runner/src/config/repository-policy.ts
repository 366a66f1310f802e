/**
 * Whether one of the prefixes covers a repository's address. A prefix ends where a name ends: `https://host/you` covers
 * `https://host/you/project` and not `https://host/your-enemy`.
 */
export function isRepositoryAllowed(prefixes: readonly string[], url: string): boolean {
  return prefixes.some((prefix) => {
    if (!url.startsWith(prefix)) return false
    return (
      /[/:]$/.test(prefix) || url.length === prefix.length || /^(\/|\.git$)/.test(url.slice(prefix.length))
    )
  })
}
