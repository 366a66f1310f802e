import type { RunSummary, StatusWord } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { plural } from '../elements/format.ts'
import { RunList } from '../runs/run-list.tsx'

const MOST_SHOWN = 8
/** What a person can do something about comes first, what waits for its turn last. */
const ORDER: Partial<Record<StatusWord, number>> = { waiting: 0, running: 1, starting: 2, asleep: 3 }
const LAST = 4

/** What is not finished: the first of it, and how much more there is. */
export function Now({ runs }: { runs: RunSummary[] }) {
  if (runs.length === 0) return <p className="card border-dashed px-4 py-3 text-soft">Nothing is running.</p>
  const sorted = runs.toSorted((one, other) => (ORDER[one.status] ?? LAST) - (ORDER[other.status] ?? LAST))
  const rest = sorted.slice(MOST_SHOWN)
  return (
    <>
      <RunList runs={sorted.slice(0, MOST_SHOWN)} label="Running now" />
      {rest.length > 0 && (
        <Link
          to="/runs"
          search={{ status: 'open' }}
          className="mt-1 inline-flex min-h-7 items-center rounded px-1 text-[13px] font-medium text-accent hover:underline"
        >
          {plural(rest.length, 'more run')} not finished
        </Link>
      )}
    </>
  )
}
