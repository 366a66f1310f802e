import type { JobView, TriggerView, WebhookScheme } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { CopyBlock, CopyLine } from '../elements/copy-button.tsx'
import { ConfirmDialog, Dialog, Problem } from '../elements/dialog.tsx'
import { Ago } from '../elements/time.tsx'
import { JobOutputs } from '../outputs/job-outputs.tsx'
import { LastRuns } from './job-row.tsx'
import { ruleWords } from './rule-words.ts'
import { RunJob } from './run-job.tsx'
import { signedCurl } from './signed-curl.ts'

/** Everything about one job, and what can be changed about it here. */
export function JobPanel({ job, onClose }: { job: JobView; onClose: () => void }) {
  const toggle = useAction('changing the job', (api, on: boolean) =>
    on ? api.jobs.enable.mutate({ id: job.id }) : api.jobs.disable.mutate({ id: job.id }),
  )
  return (
    <Dialog title={job.name} onClose={onClose} wide>
      <div className="space-y-5">
        <div className="flex flex-wrap items-center justify-between gap-3">
          <p className="text-soft">
            <code className="font-mono">{job.key}</code> · {job.enabled ? 'enabled' : 'disabled'} · agent{' '}
            {job.agent.key} · changed <Ago at={job.updatedAt} />
          </p>
          <div className="flex flex-wrap gap-2">
            <RunJob job={job} />
            <Button small disabled={toggle.busy} onClick={() => toggle.start(!job.enabled)}>
              {job.enabled ? 'Disable' : 'Enable'}
            </Button>
            <DeleteJob job={job} onDeleted={onClose} />
          </div>
        </div>
        <Problem text={toggle.problem} />
        {job.triggers.map((trigger) => (
          <Trigger key={trigger.id} trigger={trigger} />
        ))}
        <div>
          <h3 className="mb-1 font-medium">Prompt</h3>
          <CopyBlock text={job.prompt} />
        </div>
        <JobOutputs job={job} />
        <div>
          <h3 className="mb-1 font-medium">Last runs</h3>
          <div className="flex flex-wrap items-center justify-between gap-2">
            <LastRuns job={job} />
            <Link to="/runs" search={{ job: job.id }} className="font-medium text-accent hover:underline">
              All its runs
            </Link>
          </div>
        </div>
        <p className="text-[13px] text-soft">{ruleWords(job)}</p>
      </div>
    </Dialog>
  )
}

function Trigger({ trigger }: { trigger: TriggerView }) {
  const [secret, setSecret] = useState<string | null>(null)
  const rotate = useAction('making a new secret', (api, triggerId: TriggerView['id']) =>
    api.jobs.rotateSecret.mutate({ triggerId }),
  )
  if (trigger.kind !== 'webhook') return null
  return (
    <div className="space-y-2">
      <h3 className="font-medium">
        Webhook <span className="font-normal text-soft">signed as {trigger.scheme}</span>
      </h3>
      <CopyLine text={trigger.url} />
      {secret === null ? (
        <Button
          small
          disabled={rotate.busy}
          onClick={() => rotate.start(trigger.id, (answer) => setSecret(answer.secret))}
        >
          New secret…
        </Button>
      ) : (
        <HookSecret url={trigger.url} scheme={trigger.scheme} secret={secret} />
      )}
      <Problem text={rotate.problem} />
    </div>
  )
}

type HookSecretProps = { url: string; scheme: WebhookScheme; secret: string }

/** A secret that is shown this once, and the line that sends a signed request with it. */
export function HookSecret({ url, scheme, secret }: HookSecretProps) {
  const line = signedCurl(url, scheme)
  return (
    <div className="space-y-2 rounded-xl border border-warn/50 bg-warn-soft/60 p-3">
      <p className="font-medium">This secret is shown once. Keep it now.</p>
      <CopyLine text={secret} />
      {line && (
        <>
          <p className="text-soft">
            Try it: with the secret in <code className="font-mono">BATON_HOOK_SECRET</code> (
            <code className="font-mono">read -rs BATON_HOOK_SECRET</code> keeps it out of the shell’s
            history), this sends one signed request.
          </p>
          <CopyBlock text={line} />
        </>
      )}
    </div>
  )
}

function DeleteJob({ job, onDeleted }: { job: JobView; onDeleted: () => void }) {
  const [asking, setAsking] = useState(false)
  const [typed, setTyped] = useState('')
  const remove = useAction('deleting the job', (api, id: JobView['id']) => api.jobs.delete.mutate({ id }))
  return (
    <>
      <Button small look="danger" onClick={() => setAsking(true)}>
        Delete…
      </Button>
      {asking && (
        <ConfirmDialog
          title={`Delete ${job.name}?`}
          confirm="Delete the job"
          typed={{ value: typed, onChange: setTyped, expected: job.key }}
          busy={remove.busy}
          problem={remove.problem}
          onConfirm={() => remove.start(job.id, onDeleted)}
          onClose={() => setAsking(false)}
        >
          <p>Its webhook address stops answering for good. Its runs stay.</p>
        </ConfirmDialog>
      )}
    </>
  )
}
