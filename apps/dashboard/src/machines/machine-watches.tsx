import type { AgentView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useApi } from '../api/api-context.ts'
import { jobsQuery } from '../api/queries.ts'
import { Section } from '../elements/page.tsx'

const SHAPES = { watching: '✓', polling: '◔', refused: '✕', failed: '✕' }

/** The folders that jobs have a machine watch, with what it says about each; nothing is shown without one. */
export function MachineWatches({ agents }: { agents: readonly AgentView[] }) {
  const { client } = useApi()
  const jobs = useQuery(jobsQuery(client))
  const watches = (jobs.data ?? [])
    .filter((job) => agents.some(({ id }) => id === job.agent.id))
    .flatMap((job) =>
      job.triggers.flatMap((trigger) => (trigger.kind === 'file_change' ? [{ job, trigger }] : [])),
    )
  if (watches.length === 0) return null
  return (
    <Section title="Watched folders">
      <ul aria-label="Watched folders" className="card space-y-1.5 px-4 py-3 text-[13px]">
        {watches.map(({ job, trigger: { id, folder, watch } }) => (
          <li key={id} className="break-words">
            <span aria-hidden className={watch?.message ? 'text-warn' : 'text-good'}>
              {watch ? SHAPES[watch.state] : '?'}{' '}
            </span>
            <code className="font-mono break-all">{folder}</code> for{' '}
            <Link
              to="/jobs/$job"
              params={{ job: job.key }}
              className="font-medium text-accent hover:underline"
            >
              {job.key}
            </Link>
            <span className="block text-soft">
              {watch ? (watch.message ?? watch.state) : 'The machine has not said yet whether it can.'}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}
