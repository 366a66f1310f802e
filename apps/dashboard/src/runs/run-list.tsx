import type { EventSource, RunSummary } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { formatDay } from '../elements/format.ts'
import { StatusShape, StatusWord } from '../elements/status-mark.tsx'
import { Ago, Duration } from '../elements/time.tsx'

/** What the page around a list is about: its rows do not repeat it. */
export type Within = 'job' | 'agent' | 'machine'
type RunListProps = { runs: RunSummary[]; label: string; within?: Within }

export function RunList({ runs, label, within }: RunListProps) {
  return (
    <ul aria-label={label} className="card divide-y divide-line overflow-hidden">
      {runs.map((run) => (
        <li key={run.id}>
          <RunRow run={run} within={within} />
        </li>
      ))}
    </ul>
  )
}

/** The same, parted by the days on which they were asked for, newest first. */
export function RunDays({ runs, label }: RunListProps) {
  const days = Map.groupBy(runs, ({ ladder }) => formatDay(ladder.storedAt))
  return [...days].map(([day, some], index) => (
    <section key={day} aria-label={`${label}, ${day}`} className={index > 0 ? 'mt-5' : ''}>
      <h2 className="mb-1.5 text-[13px] font-semibold text-soft">{day}</h2>
      <RunList runs={some} label={`${label}, ${day}`} />
    </section>
  ))
}

/** One run: what it is, what came of it, who does it where and what asked for it, when and for how long. */
function RunRow({ run, within }: { run: RunSummary; within: Within | undefined }) {
  const { title, line } = wordsOf(run, within)
  const where = within === 'machine' ? run.agent.key : `${run.agent.key} on ${run.machine.name}`
  return (
    <Link
      to="/runs/$runId"
      params={{ runId: run.id }}
      data-row
      data-run={run.id}
      className="grid grid-cols-[1.5rem_minmax(0,1fr)] items-center gap-x-2 px-3 py-2.5 -outline-offset-2 hover:bg-hover sm:grid-cols-[1.5rem_minmax(0,1fr)_9rem_10.5rem] sm:gap-x-4 sm:px-4"
    >
      <StatusShape word={run.status} className="self-start pt-0.5 sm:self-center sm:pt-0" />
      <div className="min-w-0">
        <p className="truncate font-medium">{title}</p>
        {line && <p className="line-clamp-2 text-[13px] break-words text-soft">{line}</p>}
        <p className="mt-0.5 flex flex-wrap gap-x-3 text-[13px] text-soft sm:hidden">
          <StatusWord word={run.status} />
          {within !== 'agent' && <span className="min-w-0 truncate">{where}</span>}
          <Times run={run} />
        </p>
      </div>
      <div className="hidden min-w-0 text-[13px] sm:block">
        {within !== 'agent' && <p className="truncate">{run.agent.key}</p>}
        <p className="truncate text-soft">
          {within !== 'machine' && `on ${run.machine.name}`}
          {within === 'machine' && SOURCES[run.event.source]}
        </p>
        {within === 'agent' && <p className="truncate text-soft">{SOURCES[run.event.source]}</p>}
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

const SOURCES: Record<EventSource, string> = {
  webhook: 'webhook',
  manual: 'by hand',
  cron: 'schedule',
  interval: 'interval',
  file_change: 'changed files',
  git_push: 'git push',
  github: 'GitHub',
  message: 'message',
}

/** A run that went well is told by what its agent said, any other by its sentence. */
function wordsOf(run: RunSummary, within: Within | undefined): { title: string; line: string | null } {
  const said = run.status === 'done' ? firstLine(run.resultStart ?? '') : ''
  const account = said || run.sentence
  if (within === 'job') return { title: account, line: SOURCES[run.event.source] }
  return { title: titleOf(run), line: account }
}

function Times({ run: { ladder } }: { run: RunSummary }) {
  const { startedAt, finishedAt, storedAt } = ladder
  if (startedAt === null) return <Ago at={storedAt} />
  return (
    <span className="inline-flex flex-wrap justify-end gap-x-1">
      <Duration from={startedAt} to={finishedAt} />
      {finishedAt !== null && (
        <span className="whitespace-nowrap">
          · <Ago at={finishedAt} />
        </span>
      )}
    </span>
  )
}

const firstLine = (text: string) => text.trim().split('\n', 1)[0] ?? ''

/** The job's name, or the first line of the prompt for a run without one. */
export function titleOf(run: { job: { name: string } | null; promptStart: string }): string {
  return run.job?.name ?? (firstLine(run.promptStart) || 'Run without a prompt')
}
