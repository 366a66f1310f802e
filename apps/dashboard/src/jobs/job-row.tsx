import type { JobView } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { formatDuration, formatMoment } from '../elements/format.ts'
import { useNow } from '../elements/time.tsx'
import { RunBars } from './run-bars.tsx'
import { RunJob } from './run-job.tsx'
import { triggerLine } from './trigger-words.ts'

/** One job: what starts it, who does it, what came of its last runs, and the button that runs it now. */
export function JobRow({ job }: { job: JobView }) {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1.5 px-4 py-3 md:grid-cols-[minmax(0,1fr)_19rem_auto]">
      <div className="min-w-0">
        <Link
          to="/jobs/$job"
          params={{ job: job.key }}
          data-row
          className="line-clamp-2 rounded font-medium break-words hover:text-accent hover:underline"
        >
          {job.name}
        </Link>
        <p className="text-[13px] break-words text-soft">
          {!job.enabled && <strong className="font-medium text-warn">❚❚ disabled · </strong>}
          {triggerWords(job)} → {job.agent.key}
          <NextFire job={job} />
        </p>
      </div>
      <div className="min-w-0 max-md:col-span-2 max-md:row-start-2">
        <RunBars runs={job.lastRuns} />
      </div>
      <div className="max-md:row-start-1 max-md:col-start-2">
        <RunJob job={job} small />
      </div>
    </div>
  )
}

/** When the next of its schedules fires; the time is exact when it is pointed at. */
function NextFire({ job }: { job: JobView }) {
  const now = useNow(30_000)
  const times = job.triggers.flatMap((trigger) =>
    'nextFireAt' in trigger && trigger.nextFireAt !== null ? [trigger.nextFireAt] : [],
  )
  if (!job.enabled || times.length === 0) return null
  const next = Math.min(...times)
  return (
    <>
      {' · '}
      <time dateTime={new Date(next).toISOString()} title={formatMoment(next)} className="whitespace-nowrap">
        {next > now ? `next in ${formatDuration(next - now)}` : 'due now'}
      </time>
    </>
  )
}

function triggerWords(job: JobView): string {
  const lines = job.triggers.filter(({ kind }) => kind !== 'manual').map(triggerLine)
  if (lines.length === 0) return 'by hand'
  return lines.length > 2 ? `${lines.slice(0, 2).join(', ')} and ${lines.length - 2} more` : lines.join(', ')
}
