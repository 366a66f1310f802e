import type { JobView } from '@baton/protocol'
import { useNavigate } from '@tanstack/react-router'
import { Play } from 'lucide-react'
import { useState } from 'react'
import { randomKey } from '../api/random-key.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'

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
  const payload = parseJson(text)
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
        <div>
          <p className="mb-1 font-medium">Prompt</p>
          <pre className="max-h-40 overflow-auto rounded-lg bg-sunk p-3 font-sans text-[13px] break-words whitespace-pre-wrap">
            {job.prompt}
          </pre>
        </div>
        <Field
          label="Payload (JSON)"
          hint="What a webhook would have sent: it fills the prompt’s placeholders."
        >
          <textarea
            className="field min-h-28 font-mono text-[13px]"
            spellCheck={false}
            aria-invalid={!payload.ok}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </Field>
        <Problem text={payload.ok ? run.problem : payload.problem} />
        <FormEnd onCancel={onClose} busy={run.busy || !payload.ok} submit="Run now" />
      </form>
    </Dialog>
  )
}

function parseJson(text: string): { ok: true; value: unknown } | { ok: false; problem: string } {
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch (error) {
    return { ok: false, problem: `The payload is no JSON: ${(error as Error).message}` }
  }
}
