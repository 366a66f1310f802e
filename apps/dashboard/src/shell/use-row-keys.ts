import { useShortcuts } from './shortcuts.ts'

/** j and k move the focus over the rows of the page (elements with `data-row`); Enter then opens as for any link. */
export function useRowKeys(): void {
  useShortcuts({ j: () => step(1), k: () => step(-1) })
}

function step(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')]
  const at = rows.indexOf(document.activeElement as HTMLElement)
  const next = at === -1 ? (by === 1 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))
  rows[next]?.focus()
  rows[next]?.scrollIntoView({ block: 'nearest' })
}
