import { useMemo, useState } from 'react'
import { formatCount } from '../../elements/format.ts'
import { LogRowView, type RowView } from './log-row.tsx'
import type { LogSnapshot } from './log-store.ts'
import { MAX_ROWS } from './log-store.ts'
import type { LogScroll } from './use-log-scroll.ts'

type LogRowsProps = {
  log: LogSnapshot
  scroll: LogScroll
  find: string
  wrap: boolean
  times: boolean
  marks: { linked: string | null; found: string | undefined }
  /** The row that a search stands on is shown unfolded. */
  foundOpen: boolean
}

/** The rows in view, out of all that are loaded. Not a live region: thousands of lines a second would be read out. */
export function LogRows({ log, scroll, find, wrap, times, marks, foundOpen }: LogRowsProps) {
  const [flipped, setFlipped] = useState<ReadonlySet<string>>(new Set())
  const view = useMemo<RowView>(
    () => ({
      find,
      wrap,
      times,
      isOpen: (key) => flipped.has(key),
      toggle: (key) =>
        setFlipped((before) => {
          const after = new Set(before)
          if (!after.delete(key)) after.add(key)
          return after
        }),
    }),
    [find, wrap, times, flipped],
  )
  const { virtualizer } = scroll
  const items = virtualizer.getVirtualItems()
  const digits = String(log.lastSeq).length
  return (
    <section
      ref={scroll.frame}
      onScroll={scroll.onScroll}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
      tabIndex={0}
      aria-label="Log lines"
      className="absolute inset-0 overflow-auto py-1 font-mono text-[12.5px] leading-5 -outline-offset-2 [overflow-anchor:none]"
    >
      {(scroll.loadingOlder || scroll.fullAbove) && (
        <p className="sticky top-0 z-10 bg-card px-3 py-1 text-center font-sans text-xs text-soft">
          {scroll.loadingOlder
            ? 'Loading older lines…'
            : `${formatCount(MAX_ROWS)} rows are as many as one page holds; the download has the whole transcript.`}
        </p>
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: a real list cannot skip the rows that are out of sight. */}
      <div role="list" className="relative w-full" style={{ height: virtualizer.getTotalSize() }}>
        <div
          className="absolute top-0 left-0 w-full"
          style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}
        >
          {items.map(({ index, key }) => {
            const row = log.rows[index]
            if (row === undefined) return null
            const marked = row.key === marks.found ? 'found' : row.key === marks.linked ? 'linked' : null
            return (
              // biome-ignore lint/a11y/useSemanticElements: as above.
              <div
                key={key}
                ref={virtualizer.measureElement}
                data-index={index}
                data-seq={row.seq}
                role="listitem"
                aria-posinset={index + 1}
                aria-setsize={log.rows.length}
              >
                <LogRowView
                  row={row}
                  view={view}
                  open={view.isOpen(row.key) !== (foundOpen && marked === 'found')}
                  marked={marked}
                  digits={digits}
                />
              </div>
            )
          })}
        </div>
      </div>
    </section>
  )
}
