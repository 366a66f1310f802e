import type { JobView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { Pencil } from 'lucide-react'
import { useApi } from '../api/api-context.ts'
import { useAction } from '../api/use-action.ts'
import { CopyButton } from '../elements/copy-button.tsx'
import { Problem } from '../elements/dialog.tsx'
import { LINK_BUTTON } from '../elements/link-button.ts'
import { Page, Section } from '../elements/page.tsx'
import { RowPage } from '../elements/row-page.tsx'
import { Switch } from '../elements/switch.tsx'
import { Ago } from '../elements/time.tsx'
import { useUndo } from '../elements/undo-note.tsx'
import { JobOutputs } from '../outputs/job-outputs.tsx'
import { LastRuns } from '../runs/last-runs.tsx'
import { StageTimes } from '../runs/stage-times.tsx'
import { WhyPanel } from '../runs/why-panel.tsx'
import { UsagePanel } from '../usage/usage-panel.tsx'
import { DeleteJob } from './delete-job.tsx'
import { JobFacts } from './job-facts.tsx'
import { jobQuery } from './job-queries.ts'
import { JobTriggers } from './job-triggers.tsx'
import { RefusedRequests } from './refused-requests.tsx'
import { Rehearsal } from './rehearsal.tsx'
import { RunJob } from './run-job.tsx'
import { Simulation } from './simulation.tsx'

const route = getRouteApi('/jobs/$job')

/** Everything about one job, and everything that can be done with it. */
export function JobPage() {
  const { job } = route.useParams()
  const { client } = useApi()
  const answer = useQuery(jobQuery(client, job))
  return (
    <RowPage kind="job" named={job} answer={answer}>
      {(row) => <JobBody key={row.id} job={row} />}
    </RowPage>
  )
}

function JobBody({ job }: { job: JobView }) {
  const navigate = useNavigate()
  const { say, note } = useUndo()
  const toggle = useAction('changing the job', (api, on: boolean) =>
    on ? api.jobs.enable.mutate({ id: job.id }) : api.jobs.disable.mutate({ id: job.id }),
  )
  const flip = (on: boolean) =>
    toggle.start(on, () =>
      say(on ? `${job.name} is enabled.` : `${job.name} is disabled.`, () => toggle.start(!on)),
    )
  return (
    <Page
      title={job.name}
      back={{ to: '/jobs', name: 'Jobs' }}
      lead={
        <>
          <code className="font-mono">{job.key}</code> · done by{' '}
          <Link
            to="/agents/$agent"
            params={{ agent: job.agent.key }}
            className="font-medium text-accent hover:underline"
          >
            {job.agent.key}
          </Link>{' '}
          · changed <Ago at={job.updatedAt} />
        </>
      }
      actions={
        <>
          <Switch label={`${job.name} is enabled`} on={job.enabled} busy={toggle.busy} onChange={flip} />
          <RunJob job={job} />
          <Link to="/jobs/$job/edit" params={{ job: job.key }} className={LINK_BUTTON}>
            <Pencil size={15} aria-hidden />
            Edit
          </Link>
          <DeleteJob job={job} onDeleted={() => void navigate({ to: '/jobs' })} />
        </>
      }
    >
      <Problem text={toggle.problem} />
      <div className="mb-5 empty:hidden">
        {job.enabled && <WhyPanel id={job.id} label="What is in its way" onlyTrouble />}
      </div>
      <div className="grid gap-x-8 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="min-w-0">
          <Section title="Starts when">
            <JobTriggers job={job} say={say} />
          </Section>
          <RefusedRequests job={job} />
          <LastRuns filter={{ job: job.id }} />
          <Section title="Prompt" aside={<CopyButton text={job.prompt} bare />}>
            <pre
              // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
              tabIndex={0}
              className="card max-h-72 overflow-auto p-4 font-sans break-words whitespace-pre-wrap"
            >
              {job.prompt}
            </pre>
          </Section>
          <Section title="Try it">
            <div className="space-y-2">
              <Rehearsal job={job} />
              <Simulation job={job} />
            </div>
          </Section>
          <div className="mb-7">
            <JobOutputs job={job} />
          </div>
        </div>
        <div className="min-w-0">
          <JobFacts job={job} />
          <div className="mt-5 space-y-5">
            <UsagePanel filter={{ job: job.id }} />
            <StageTimes filter={{ jobId: job.id }} />
          </div>
        </div>
      </div>
      {note}
    </Page>
  )
}
