import type { JobView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { useApi } from '../api/api-context.ts'
import { jobsQuery } from '../api/queries.ts'
import { batonCommand } from '../elements/command-line.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { MAIN_LINK } from '../elements/link-button.ts'
import { Empty, Loaded, Page } from '../elements/page.tsx'
import { useRowKeys } from '../shell/use-row-keys.ts'
import { JobRow } from './job-row.tsx'

/** The stored jobs. */
export function JobsPage() {
  useRowKeys()
  const { client } = useApi()
  const jobs = useQuery(jobsQuery(client))
  return (
    <Page
      title="Jobs"
      lead="What is done when something happens."
      actions={
        <Link to="/jobs/new" className={MAIN_LINK}>
          <Plus size={16} aria-hidden />
          New job
        </Link>
      }
    >
      <Loaded answer={jobs} of="the jobs">
        {(all) => (all.length === 0 ? <NoJobs /> : <JobList jobs={all} />)}
      </Loaded>
    </Page>
  )
}

function JobList({ jobs }: { jobs: JobView[] }) {
  return (
    <ul aria-label="Jobs" className="card divide-y divide-line">
      {jobs.map((job) => (
        <li key={job.id}>
          <JobRow job={job} />
        </li>
      ))}
    </ul>
  )
}

function NoJobs() {
  const { origin } = useApi()
  return (
    <Empty title="No job yet.">
      <p className="text-soft">
        A job says which agent does what when a webhook arrives, at certain times, or when files change. Make
        one with the button above, or on the command line:
      </p>
      <CopyLine
        text={batonCommand(
          origin,
          'job create hello --agent demo --prompt "Greet {{ payload.name }}" --hook baton',
        )}
      />
    </Empty>
  )
}
