import type { JobView, OutputId, OutputView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { dispatchesQuery, outputsQuery } from '../api/queries.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { ConfirmDialog, Problem } from '../elements/dialog.tsx'
import { Loaded } from '../elements/page.tsx'
import { DispatchList } from './dispatch-list.tsx'
import { DispatchMark } from './dispatch-mark.tsx'
import { OutputForm } from './output-form.tsx'
import { MOMENT_LABELS } from './output-kinds.ts'

/** Where the results of a job go, and what was sent lately. */
export function JobOutputs({ job }: { job: JobView }) {
  const { client } = useApi()
  const outputs = useQuery(outputsQuery(client, job.id))
  const dispatches = useQuery(dispatchesQuery(client, job.id))
  const [editing, setEditing] = useState<OutputView | 'new' | null>(null)
  return (
    <section className="space-y-2">
      <div className="flex items-center justify-between gap-3">
        <h2 className="text-[13px] font-semibold tracking-wide text-soft">Outputs</h2>
        <Button small icon={<Plus size={14} aria-hidden />} onClick={() => setEditing('new')}>
          Add an output
        </Button>
      </div>
      <Loaded answer={outputs} of="the outputs">
        {(all) =>
          all.length === 0 ? (
            <p className="text-soft">Its results stay with its runs and go nowhere else.</p>
          ) : (
            <ul aria-label="Outputs" className="card divide-y divide-line">
              {all.map((output) => (
                <OutputRow key={output.id} output={output} onEdit={() => setEditing(output)} />
              ))}
            </ul>
          )
        }
      </Loaded>
      {dispatches.data && dispatches.data.items.length > 0 && (
        <details>
          <summary className="font-medium text-accent">What was sent lately</summary>
          <div className="mt-2">
            <DispatchList dispatches={dispatches.data.items} label="Dispatches of this job" withRun />
          </div>
        </details>
      )}
      {editing !== null && (
        <OutputForm
          jobId={job.id}
          output={editing === 'new' ? null : editing}
          onClose={() => setEditing(null)}
        />
      )}
    </section>
  )
}

function OutputRow({ output, onEdit }: { output: OutputView; onEdit: () => void }) {
  const [removing, setRemoving] = useState(false)
  const test = useAction('sending a sample', (api, id: OutputId) => api.outputs.test.mutate({ id }))
  const toggle = useAction('changing the output', (api, on: boolean) =>
    on ? api.outputs.enable.mutate({ id: output.id }) : api.outputs.disable.mutate({ id: output.id }),
  )
  const remove = useAction('removing the output', (api, id: OutputId) => api.outputs.delete.mutate({ id }))
  const [said, setSaid] = useState<string | null>(null)
  const isOnMachine = output.kind === 'file' || output.kind === 'stdout'
  return (
    <li className="space-y-1.5 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
        <span className="font-medium">{output.kind}</span>
        <span className="min-w-0 break-all">{output.target}</span>
        <span className="text-soft">{output.enabled ? MOMENT_LABELS[output.on] : 'switched off'}</span>
        {output.last && <DispatchMark state={output.last.state} />}
      </div>
      {output.disabledReason && (
        <p className="rounded-lg bg-warn-soft px-3 py-2 text-warn">
          It was switched off. {output.disabledReason}
        </p>
      )}
      <div className="flex flex-wrap gap-2">
        {!isOnMachine && (
          <Button
            small
            disabled={test.busy}
            onClick={() => test.start(output.id, ({ sentence }) => setSaid(sentence))}
          >
            {test.busy ? 'Sending…' : 'Test'}
          </Button>
        )}
        <Button small onClick={onEdit}>
          Change
        </Button>
        <Button small disabled={toggle.busy} onClick={() => toggle.start(!output.enabled)}>
          {output.enabled ? 'Switch off' : 'Switch on'}
        </Button>
        <Button small look="danger" onClick={() => setRemoving(true)}>
          Remove…
        </Button>
      </div>
      {said !== null && (
        <p role="status" className="break-words text-soft">
          {said}
        </p>
      )}
      <Problem text={test.problem ?? toggle.problem} />
      {removing && (
        <ConfirmDialog
          title={`Remove the ${output.kind} output?`}
          confirm="Remove it"
          busy={remove.busy}
          problem={remove.problem}
          onConfirm={() => remove.start(output.id)}
          onClose={() => setRemoving(false)}
        >
          <p>What waits to be sent to {output.target} is skipped. What was sent stays in the list.</p>
        </ConfirmDialog>
      )}
    </li>
  )
}
