import type { JobView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { useApi } from '../api/api-context.ts'
import { jobsQuery } from '../api/queries.ts'
import { batonCommand } from '../elements/command-line.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { FindBox, fits } from '../elements/find-box.tsx'
import { MAIN_LINK } from '../elements/link-button.ts'
import { Empty, Loaded, Page } from '../elements/page.tsx'
import { useRowKeys } from '../shell/use-row-keys.ts'
import { JobRow } from './job-row.tsx'

const route = getRouteApi('/jobs')

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

/** From how many on finding one by eye is tedious. */
const MANY = 8

function JobList({ jobs }: { jobs: JobView[] }) {
  const { text = '' } = route.useSearch()
  const navigate = route.useNavigate()
  const fitting = jobs.filter(({ key, name, agent }) => fits(text, [key, name, agent.key]))
  return (
    <>
      {(jobs.length >= MANY || text !== '') && (
        <FindBox
          label="Find a job"
          text={text}
          count={fitting.length}
          onChange={(next) => void navigate({ search: next === '' ? {} : { text: next }, replace: true })}
        />
      )}
      {fitting.length === 0 ? (
        <Empty title={`No job has “${text}” in its name, key or agent.`} />
      ) : (
        <ul aria-label="Jobs" className="card divide-y divide-line">
          {fitting.map((job) => (
            <li key={job.id}>
              <JobRow job={job} />
            </li>
          ))}
        </ul>
      )}
    </>
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
