import type { JobView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { useAction } from '../api/use-action.ts'
import { Loaded, Page } from '../elements/page.tsx'
import { draftOfJob, type JobDraft, toJobChange } from './job-draft.ts'
import { JobForm } from './job-form.tsx'
import { jobQuery } from './job-queries.ts'
import { Rehearsal } from './rehearsal.tsx'

const route = getRouteApi('/jobs/$job/edit')

/** Changes a job. What somebody else changes meanwhile is not taken over into the open form. */
export function EditJobPage() {
  const { job } = route.useParams()
  const { client } = useApi()
  const answer = useQuery(jobQuery(client, job))
  return (
    <Page
      title={answer.data ? `Change ${answer.data.name}` : 'Change the job'}
      lead="Triggers and outputs are changed on the job’s page."
    >
      <Loaded answer={answer} of="the job">
        {(found) => <Edit key={found.id} job={found} />}
      </Loaded>
    </Page>
  )
}

function Edit({ job }: { job: JobView }) {
  const navigate = useNavigate()
  const [start] = useState(() => draftOfJob(job))
  const leave = (saved: boolean) =>
    void navigate({ to: '/jobs/$job', params: { job: job.key }, ignoreBlocker: saved })
  const save = useAction('saving the job', (api, draft: JobDraft) =>
    api.jobs.update.mutate(toJobChange(job.id, draft)),
  )
  return (
    <JobForm
      start={start}
      stored
      submit="Save"
      action={{ ...save, start: (draft) => save.start(draft, () => leave(true)) }}
      onCancel={() => leave(false)}
      rehearsal={({ prompt }) => <Rehearsal job={job} prompt={prompt} />}
    />
  )
}
