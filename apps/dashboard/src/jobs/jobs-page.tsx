import type { JobView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { jobsQuery } from '../api/queries.ts'
import { Button } from '../elements/button.tsx'
import { batonCommand } from '../elements/command-line.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { Empty, Loaded, Page } from '../elements/page.tsx'
import { useRowKeys } from '../shell/use-row-keys.ts'
import { CreateJob } from './create-job.tsx'
import { JobPanel } from './job-panel.tsx'
import { JobRow } from './job-row.tsx'

const route = getRouteApi('/jobs')

/** The stored jobs; one opened beside them by the address. */
export function JobsPage() {
  useRowKeys()
  const { client } = useApi()
  const { job: openId } = route.useSearch()
  const navigate = route.useNavigate()
  const [creating, setCreating] = useState(false)
  const jobs = useQuery(jobsQuery(client))
  const open = jobs.data?.find(({ id }) => id === openId)
  return (
    <Page
      title="Jobs"
      lead="What is done when something happens."
      actions={
        <Button look="main" icon={<Plus size={16} aria-hidden />} onClick={() => setCreating(true)}>
          New job
        </Button>
      }
    >
      <Loaded answer={jobs} of="the jobs">
        {(all) => (all.length === 0 ? <NoJobs /> : <JobList jobs={all} />)}
      </Loaded>
      {open && <JobPanel job={open} onClose={() => void navigate({ search: {} })} />}
      {creating && <CreateJob onClose={() => setCreating(false)} />}
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
        A job says which agent does what when a webhook arrives. Make one with the button above, or on the
        command line:
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
