import type { JobView } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { formatDuration, formatMoment } from '../elements/format.ts'
import { StatusShape, statusLabel, TONE_FILL, toneOf } from '../elements/status-mark.tsx'
import { Ago } from '../elements/time.tsx'

const SHOWN = 8
const HIGHEST = 20
const LOWEST = 3

/** The last runs, oldest left: how each ended, and how long it took as a bar. Each is a link. */
export function RunBars({ runs }: { runs: JobView['lastRuns'] }) {
  const newest = runs[0]
  if (newest === undefined) return <p className="text-[13px] text-soft">never ran</p>
  const shown = runs.slice(0, SHOWN).toReversed()
  const longest = Math.max(...shown.map(({ tookMs }) => tookMs ?? 0), 1)
  return (
    <div className="flex items-end gap-2 text-[13px] text-soft">
      <ol aria-label="Last runs, oldest first" className="flex items-end">
        {shown.map(({ id, status, at, tookMs }) => (
          <li key={id}>
            <Link
              to="/runs/$runId"
              params={{ runId: id }}
              title={`${statusLabel(status)}${tookMs === null ? '' : ` after ${formatDuration(tookMs)}`}, ${formatMoment(at)}`}
              className="flex w-6 flex-col items-center justify-end rounded leading-5 hover:bg-hover"
            >
              <span
                aria-hidden
                className={`w-2 rounded-t-xs ${TONE_FILL[toneOf(status)]} opacity-60`}
                style={{ height: tookMs === null ? 0 : LOWEST + (tookMs / longest) * (HIGHEST - LOWEST) }}
              />
              <StatusShape word={status} />
            </Link>
          </li>
        ))}
      </ol>
      <span className="leading-5">
        <Ago at={newest.at} />
      </span>
    </div>
  )
}
