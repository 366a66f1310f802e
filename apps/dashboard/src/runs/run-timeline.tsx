import type { RunSummary } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { formatDuration, formatMoment } from '../elements/format.ts'
import { statusLabel, TONE_FILL, toneOf } from '../elements/status-mark.tsx'
import { useNow } from '../elements/time.tsx'
import { titleOf } from './run-list.tsx'
import { lanesOf, ticksOf } from './timeline-lanes.ts'

/** A queue of hundreds must not push the list off the screen. */
const MOST_ROWS = 5

type RunTimelineProps = { runs: readonly RunSummary[]; by: 'machine' | 'agent' }

/**
 * When runs waited (light) and worked (full), one lane for each machine or agent. The list beside it says the same in
 * words, so it is left out for those who hear the page or walk it by keyboard.
 */
export function RunTimeline({ runs, by }: RunTimelineProps) {
  const now = useNow(runs.some(({ ladder }) => ladder.finishedAt === null) ? 5_000 : null)
  if (runs.length < 2) return null
  const from = Math.min(...runs.map(({ ladder }) => ladder.storedAt))
  const to = Math.max(...runs.map(({ ladder }) => ladder.finishedAt ?? now))
  const span = Math.max(1, to - from)
  const at = (time: number) => `${((time - from) / span) * 100}%`
  const wide = (begin: number, end: number) => `${(Math.max(0, end - begin) / span) * 100}%`
  return (
    <figure aria-hidden data-timeline className="card overflow-hidden px-4 pt-3 pb-2 text-xs text-soft">
      {lanesOf(runs, by, now).map(({ name, rows }) => (
        <div
          key={name}
          className="grid grid-cols-[6rem_minmax(0,1fr)] gap-x-3 py-0.5 sm:grid-cols-[9rem_minmax(0,1fr)]"
        >
          <span className="truncate" title={name}>
            {name}
          </span>
          <div className="space-y-0.5 border-l border-line py-1">
            {rows.slice(0, MOST_ROWS).map((row) => (
              <div key={row[0]?.id} className="relative h-2.5">
                {row.map((run) => {
                  const began = run.ladder.startedAt ?? now
                  const end = run.ladder.finishedAt ?? now
                  const fill = TONE_FILL[toneOf(run.status)]
                  return (
                    <Link
                      key={run.id}
                      to="/runs/$runId"
                      params={{ runId: run.id }}
                      tabIndex={-1}
                      title={`${titleOf(run)}: ${statusLabel(run.status)}, ${formatMoment(run.ladder.storedAt)}, ${formatDuration(end - run.ladder.storedAt)}`}
                      className="absolute inset-y-0 flex min-w-1.5 overflow-hidden rounded-sm hover:ring-2 hover:ring-accent"
                      style={{
                        left: `min(${at(run.ladder.storedAt)}, 100% - 6px)`,
                        width: wide(run.ladder.storedAt, end),
                      }}
                    >
                      <span
                        className={`${fill} h-full opacity-30`}
                        style={{ width: share(began - run.ladder.storedAt, end - run.ladder.storedAt) }}
                      />
                      <span className={`${fill} h-full flex-1`} />
                    </Link>
                  )
                })}
              </div>
            ))}
            {rows.length > MOST_ROWS && (
              <p className="text-right">{rows.length - MOST_ROWS} more at the same time</p>
            )}
          </div>
        </div>
      ))}
      <div className="grid grid-cols-[6rem_minmax(0,1fr)] gap-x-3 sm:grid-cols-[9rem_minmax(0,1fr)]">
        <span className="truncate">light: it waits</span>
        <div className="relative h-4 border-l border-line">
          {ticksOf(from, to).map(({ at: tick, text }, index) => (
            <span
              key={tick}
              className={`absolute -translate-x-1/2 whitespace-nowrap ${index % 2 === 1 ? 'max-sm:hidden' : ''}`}
              style={{ left: at(tick) }}
            >
              {text}
            </span>
          ))}
        </div>
      </div>
    </figure>
  )
}

const share = (part: number, whole: number) =>
  `${whole <= 0 ? 0 : Math.min(100, Math.max(0, (part / whole) * 100))}%`
