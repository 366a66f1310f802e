import type { JobView, WebhookScheme } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { runQuery } from '../api/queries.ts'
import { useAction } from '../api/use-action.ts'
import { batonCommand } from '../elements/command-line.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { Loaded, Page } from '../elements/page.tsx'
import { OutputSecret } from '../outputs/output-form.tsx'
import { DraftRehearsal } from './draft-rehearsal.tsx'
import { HookSecret } from './hook-secret.tsx'
import { type JobDraft, jobOfRun, newJob, toNewJob } from './job-draft.ts'
import { JobForm } from './job-form.tsx'
import { TemplateChoice } from './template-choice.tsx'

type Created = {
  job: JobView
  secrets: readonly { triggerId: string; url: string; scheme: WebhookScheme; secret: string }[]
  outputSecrets: readonly { outputId: string; secret: string }[]
}

const route = getRouteApi('/jobs/new')

/** The form of a new job, empty or from a run; afterwards what is shown only once, and where to go on. */
export function NewJobPage() {
  const { run } = route.useSearch()
  const { client } = useApi()
  const answer = useQuery({ ...runQuery(client, run ?? ''), enabled: run !== undefined })
  if (run === undefined) return <NewJob make={newJob} offersTemplates />
  if (answer.data) {
    const its = answer.data
    return <NewJob key={its.id} make={() => jobOfRun(its)} offersTemplates={false} />
  }
  return (
    <Page title="New job">
      <Loaded answer={answer} of="the run">
        {() => null}
      </Loaded>
    </Page>
  )
}

function NewJob({ make, offersTemplates }: { make: () => JobDraft; offersTemplates: boolean }) {
  const navigate = useNavigate()
  const [start, setStart] = useState(make)
  // Picking another beginning makes the form anew.
  const [picked, setPicked] = useState(0)
  const [created, setCreated] = useState<Created | null>(null)
  const create = useAction('creating the job', (api, draft: JobDraft) =>
    api.jobs.create.mutate(toNewJob(draft)),
  )
  if (created) return <JobCreated created={created} />
  return (
    <Page title="New job" back={{ to: '/jobs', name: 'Jobs' }} lead="What is done when something happens.">
      {offersTemplates && (
        <TemplateChoice
          onPick={(template) => {
            setStart(template.make())
            setPicked(picked + 1)
          }}
        />
      )}
      <JobForm
        key={picked}
        start={start}
        stored={false}
        submit="Create the job"
        action={{ ...create, start: (draft) => create.start(draft, setCreated) }}
        rehearsal={(draft) => <DraftRehearsal draft={draft} />}
        onCancel={() => void navigate({ to: '/jobs' })}
      />
    </Page>
  )
}

function JobCreated({ created: { job, secrets, outputSecrets } }: { created: Created }) {
  const { origin } = useApi()
  return (
    <Page title={`${job.name} is ready`}>
      <div className="max-w-3xl space-y-4">
        {secrets.map(({ triggerId, url, scheme, secret }) => (
          <div key={triggerId} className="space-y-2">
            <p className="font-medium">Send webhooks to</p>
            <CopyLine text={url} />
            <HookSecret url={url} scheme={scheme} secret={secret} />
          </div>
        ))}
        {outputSecrets.map(({ outputId, secret }) => (
          <OutputSecret key={outputId} secret={secret} />
        ))}
        <p>It runs when you press “Run now” on its page, or with:</p>
        <CopyLine text={batonCommand(origin, `job run ${job.key}`)} />
        <Link
          to="/jobs/$job"
          params={{ job: job.key }}
          className="inline-flex min-h-9 items-center rounded-lg bg-accent px-3 font-medium text-on-accent hover:opacity-90"
        >
          Go to the job
        </Link>
      </div>
    </Page>
  )
}
