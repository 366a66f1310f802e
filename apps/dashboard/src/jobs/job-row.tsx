import type { JobView } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { StatusShape, statusLabel } from '../elements/status-mark.tsx'
import { Ago } from '../elements/time.tsx'
import { RunJob } from './run-job.tsx'
import { triggerLine } from './trigger-words.ts'

/** One job: what starts it, who does it, what came of its last runs, and the button that runs it now. */
export function JobRow({ job }: { job: JobView }) {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1.5 px-4 py-3 sm:grid-cols-[minmax(0,1fr)_13rem_auto]">
      <div className="min-w-0">
        <Link
          to="/jobs/$job"
          params={{ job: job.key }}
          data-row
          className="block truncate rounded font-medium hover:text-accent hover:underline"
        >
          {job.name}
        </Link>
        <p className="truncate text-[13px] text-soft">
          {triggerWords(job)} → {job.agent.key}
          {!job.enabled && <strong className="font-medium text-warn"> · ❚❚ disabled</strong>}
        </p>
      </div>
      <div className="min-w-0 max-sm:col-span-2 max-sm:row-start-2">
        <LastRuns job={job} />
      </div>
      <div className="max-sm:row-start-1 max-sm:col-start-2">
        <RunJob job={job} small />
      </div>
    </div>
  )
}

function triggerWords(job: JobView): string {
  const lines = job.triggers.filter(({ kind }) => kind !== 'manual').map(triggerLine)
  if (lines.length === 0) return 'by hand'
  return lines.length > 2 ? `${lines.slice(0, 2).join(', ')} and ${lines.length - 2} more` : lines.join(', ')
}

/** The outcomes of the last runs, oldest left, each a link. */
export function LastRuns({ job }: { job: JobView }) {
  const newest = job.lastRuns[0]
  if (newest === undefined) return <p className="text-[13px] text-soft">never ran</p>
  return (
    <div className="flex items-center gap-2 text-[13px] text-soft">
      <ol aria-label="Last runs, oldest first" className="flex">
        {job.lastRuns
          .slice(0, 8)
          .toReversed()
          .map(({ id, status }) => (
            <li key={id}>
              <Link
                to="/runs/$runId"
                params={{ runId: id }}
                title={statusLabel(status)}
                className="grid size-6 place-items-center rounded hover:bg-hover"
              >
                <StatusShape word={status} />
              </Link>
            </li>
          ))}
      </ol>
      <Ago at={newest.at} />
    </div>
  )
}
