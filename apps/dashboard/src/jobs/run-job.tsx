import type { JobView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Play } from 'lucide-react'
import { useDeferredValue, useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { randomKey } from '../api/random-key.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'
import { rehearsalQuery } from './job-queries.ts'
import { readJson } from './rehearsal.tsx'

/** Runs a job by hand. The form shows the prompt and takes a payload for its placeholders. */
export function RunJob({ job, small = false }: { job: JobView; small?: boolean }) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button
        small={small}
        icon={<Play size={14} aria-hidden />}
        disabled={!job.enabled}
        title={job.enabled ? undefined : 'This job is disabled'}
        aria-label={`Run now: ${job.name}`}
        onClick={() => setOpen(true)}
      >
        Run now
      </Button>
      {open && <RunJobForm job={job} onClose={() => setOpen(false)} />}
    </>
  )
}

function RunJobForm({ job, onClose }: { job: JobView; onClose: () => void }) {
  const navigate = useNavigate()
  const [idempotencyKey] = useState(randomKey)
  const [text, setText] = useState('{}')
  const payload = readJson(text)
  const { client } = useApi()
  const asked = useDeferredValue({ id: job.id, payload: payload.value })
  const shown = useQuery({
    ...rehearsalQuery(client, asked),
    enabled: payload.ok,
    placeholderData: (before) => before,
  })
  const run = useAction('running the job', (api, input: { payload: unknown }) =>
    api.jobs.run.mutate({ id: job.id, payload: input.payload, idempotencyKey }),
  )
  return (
    <Dialog title={`Run ${job.name} now`} onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          if (!payload.ok) return
          run.start({ payload: payload.value }, ({ runId }) => {
            void navigate({ to: '/runs/$runId', params: { runId } })
          })
        }}
      >
        <Field
          label="Payload (JSON)"
          hint="What a webhook would have sent: it fills the prompt’s placeholders."
          problem={payload.ok ? null : payload.problem}
        >
          <textarea
            className="field min-h-28 font-mono text-[13px]"
            spellCheck={false}
            aria-invalid={!payload.ok}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </Field>
        <div>
          <p className="mb-1 font-medium">The prompt, with that</p>
          <pre
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
            tabIndex={0}
            className="max-h-40 overflow-auto rounded-lg bg-sunk p-3 font-sans text-[13px] break-words whitespace-pre-wrap"
          >
            {shown.data?.prompt ?? job.prompt}
          </pre>
          {shown.data && shown.data.missing.length > 0 && (
            <p className="mt-1 text-[13px] break-words text-warn">
              <span aria-hidden>▲ </span>
              Not in the payload, so filled in with nothing:{' '}
              <code className="font-mono">{shown.data.missing.join(', ')}</code>
            </p>
          )}
        </div>
        <Problem text={run.problem} />
        <FormEnd onCancel={onClose} busy={run.busy} blocked={!payload.ok} submit="Run now" />
      </form>
    </Dialog>
  )
}
