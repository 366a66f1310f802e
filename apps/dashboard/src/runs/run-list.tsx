import type { RunSummary } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { StatusShape, StatusWord } from '../elements/status-mark.tsx'
import { Ago, Duration } from '../elements/time.tsx'

export function RunList({ runs, label }: { runs: RunSummary[]; label: string }) {
  return (
    <ul aria-label={label} className="card divide-y divide-line overflow-hidden">
      {runs.map((run) => (
        <li key={run.id}>
          <RunRow run={run} />
        </li>
      ))}
    </ul>
  )
}

/** One run: what it is, what came of it in a sentence, who does it where, when and for how long. */
function RunRow({ run }: { run: RunSummary }) {
  return (
    <Link
      to="/runs/$runId"
      params={{ runId: run.id }}
      data-row
      data-run={run.id}
      className="grid grid-cols-[1.5rem_minmax(0,1fr)] items-center gap-x-2 px-3 py-2.5 -outline-offset-2 hover:bg-hover sm:grid-cols-[1.5rem_minmax(0,1fr)_8.5rem_8.5rem] sm:gap-x-4 sm:px-4"
    >
      <StatusShape word={run.status} className="self-start pt-0.5 sm:self-center sm:pt-0" />
      <div className="min-w-0">
        <p className="truncate font-medium">{titleOf(run)}</p>
        <p className="line-clamp-2 text-[13px] text-soft">{run.sentence}</p>
        <p className="mt-0.5 flex flex-wrap gap-x-3 text-[13px] text-soft sm:hidden">
          <StatusWord word={run.status} />
          <span>
            {run.agent.key} on {run.machine.name}
          </span>
          <span>
            <Times run={run} />
          </span>
        </p>
      </div>
      <div className="hidden min-w-0 text-[13px] sm:block">
        <p className="truncate">{run.agent.key}</p>
        <p className="truncate text-soft">on {run.machine.name}</p>
      </div>
      <div className="hidden text-right text-[13px] sm:block">
        <StatusWord word={run.status} />
        <p className="text-soft">
          <Times run={run} />
        </p>
      </div>
    </Link>
  )
}

function Times({ run: { ladder } }: { run: RunSummary }) {
  if (ladder.startedAt === null) return <Ago at={ladder.storedAt} />
  return (
    <>
      <Duration from={ladder.startedAt} to={ladder.finishedAt} />
      {ladder.finishedAt !== null && (
        <>
          {' · '}
          <Ago at={ladder.finishedAt} />
        </>
      )}
    </>
  )
}

/** The job's name, or the first line of the prompt for a run without one. */
export function titleOf(run: { job: { name: string } | null; promptStart: string }): string {
  return run.job?.name ?? (run.promptStart.trim().split('\n', 1)[0] || 'Run without a prompt')
}
