import type { JobView, TriggerView } from '@baton/protocol'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { ConfirmDialog, Problem } from '../elements/dialog.tsx'
import { HookSecret } from './hook-secret.tsx'
import { SendSample } from './send-sample.tsx'
import { TriggerDialog } from './trigger-dialog.tsx'
import { TriggerText } from './trigger-text.tsx'
import { KIND_WORDS } from './trigger-words.ts'

type Say = (text: string, undo: () => void) => void

/** What fires a job, each with its own line and what can be done with it. */
export function JobTriggers({ job, say }: { job: JobView; say: Say }) {
  const [open, setOpen] = useState<TriggerView | 'new' | null>(null)
  return (
    <div className="space-y-2">
      <ul aria-label="Triggers" className="card divide-y divide-line">
        {job.triggers.map((trigger) => (
          <li key={trigger.id} className="space-y-2 px-4 py-3">
            <TriggerRow job={job} trigger={trigger} say={say} onEdit={() => setOpen(trigger)} />
          </li>
        ))}
        {job.triggers.length === 0 && <li className="px-4 py-3 text-soft">Only a person starts it.</li>}
      </ul>
      <Button small icon={<Plus size={14} aria-hidden />} onClick={() => setOpen('new')}>
        Add a trigger
      </Button>
      {open !== null && (
        <TriggerDialog job={job} trigger={open === 'new' ? null : open} onClose={() => setOpen(null)} />
      )}
    </div>
  )
}

type RowProps = { job: JobView; trigger: TriggerView; say: Say; onEdit: () => void }

function TriggerRow({ job, trigger, say, onEdit }: RowProps) {
  const { id: triggerId, paused, kind } = trigger
  const toggle = useAction('changing the trigger', (api, on: boolean) =>
    on ? api.jobs.resumeTrigger.mutate({ triggerId }) : api.jobs.pauseTrigger.mutate({ triggerId }),
  )
  const flip = (on: boolean) =>
    toggle.start(on, () =>
      say(on ? 'The trigger fires again.' : 'The trigger is paused.', () => toggle.start(!on)),
    )
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h3 className="font-medium">
          {KIND_WORDS[kind]}
          {paused && <span className="font-normal text-warn"> ❚❚ paused: what comes is kept</span>}
        </h3>
        {kind !== 'manual' && (
          <div className="flex flex-wrap gap-1">
            <Button small look="bare" aria-label={`Edit this ${kind} trigger`} onClick={onEdit}>
              Edit
            </Button>
            <Button small look="bare" disabled={toggle.busy} onClick={() => flip(paused)}>
              {paused ? 'Resume' : 'Pause'}
            </Button>
            {kind === 'webhook' && <SendSample job={job} triggerId={triggerId} />}
            {kind === 'webhook' && trigger.scheme !== 'none' && <RotateSecret trigger={trigger} />}
            <RemoveTrigger trigger={trigger} />
          </div>
        )}
      </div>
      <TriggerText job={job} trigger={trigger} />
      <Problem text={toggle.problem} />
    </>
  )
}

/** The old secret stays valid beside the new one, unless it became known to somebody. */
function RotateSecret({ trigger }: { trigger: TriggerView & { kind: 'webhook' } }) {
  const [asking, setAsking] = useState(false)
  const [secret, setSecret] = useState<string | null>(null)
  const [alone, setAlone] = useState(false)
  const rotate = useAction('making a new secret', (api, input: { alone: boolean }) =>
    api.jobs.rotateSecret.mutate({ triggerId: trigger.id, ...input }),
  )
  return (
    <>
      <Button small look="bare" onClick={() => setAsking(true)}>
        New secret…
      </Button>
      {asking && (
        <ConfirmDialog
          title="Make a new secret?"
          confirm={secret === null ? 'Make it' : 'Make another'}
          busy={rotate.busy}
          problem={rotate.problem}
          onConfirm={() => rotate.start({ alone }, (answer) => setSecret(answer.secret))}
          onClose={() => {
            setAsking(false)
            setSecret(null)
          }}
        >
          {secret === null ? (
            <>
              <p>The one before it stays valid beside it until the next time, so that nothing is lost.</p>
              <label className="flex items-center gap-2 text-ink">
                <input
                  type="checkbox"
                  className="size-4 accent-accent"
                  checked={alone}
                  onChange={(event) => setAlone(event.target.checked)}
                />
                Somebody knows the old one: end it now
              </label>
            </>
          ) : (
            <div className="text-ink">
              <HookSecret url={trigger.url} scheme={trigger.scheme} secret={secret} />
            </div>
          )}
        </ConfirmDialog>
      )}
    </>
  )
}

function RemoveTrigger({ trigger }: { trigger: TriggerView }) {
  const [asking, setAsking] = useState(false)
  const remove = useAction('removing the trigger', (api, triggerId: TriggerView['id']) =>
    api.jobs.removeTrigger.mutate({ triggerId }),
  )
  return (
    <>
      <Button small look="bareDanger" onClick={() => setAsking(true)}>
        Remove…
      </Button>
      {asking && (
        <ConfirmDialog
          title={`Remove this trigger?`}
          confirm="Remove the trigger"
          busy={remove.busy}
          problem={remove.problem}
          onConfirm={() => remove.start(trigger.id, () => setAsking(false))}
          onClose={() => setAsking(false)}
        >
          <p>
            {trigger.kind === 'webhook'
              ? 'Its address stops answering for good.'
              : 'It does not fire the job any more.'}{' '}
            What it brought so far stays.
          </p>
        </ConfirmDialog>
      )}
    </>
  )
}
