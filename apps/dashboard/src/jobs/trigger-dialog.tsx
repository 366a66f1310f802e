import type { JobView, TriggerView, WebhookScheme } from '@baton/protocol'
import { useState } from 'react'
import { useAction } from '../api/use-action.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { Dialog, Problem } from '../elements/dialog.tsx'
import { FormEnd } from '../elements/field.tsx'
import { inputProblems } from '../elements/input-problems.ts'
import { HookSecret } from './hook-secret.tsx'
import { draftOf, newTrigger, type TriggerDraft, toTriggerChange, toTriggerInput } from './trigger-draft.ts'
import { below, KindField } from './trigger-drafts.tsx'
import { TriggerFields } from './trigger-fields.tsx'
import { KIND_WORDS } from './trigger-words.ts'

type Shown = { url: string; scheme: WebhookScheme; secret: string }
type TriggerDialogProps = { job: JobView; trigger: TriggerView | null; onClose: () => void }

/** Adds a trigger to a job, or changes one. A secret that was made for it is shown here once. */
export function TriggerDialog({ job, trigger, onClose }: TriggerDialogProps) {
  const [draft, setDraft] = useState(() => (trigger && draftOf(trigger)) ?? newTrigger('cron'))
  const [shown, setShown] = useState<Shown | null>(null)
  const save = useAction('saving the trigger', async (api, said: TriggerDraft): Promise<Shown | null> => {
    if (trigger === null)
      return (await api.jobs.addTrigger.mutate({ id: job.id, trigger: toTriggerInput(said) })).secret
    await api.jobs.updateTrigger.mutate({ triggerId: trigger.id, change: toTriggerChange(said) })
    return null
  })
  const { general, at } = inputProblems(save.problem, (path) => /^(trigger|change)\./.test(path))
  if (shown !== null) {
    return (
      <Dialog title="The trigger was added" onClose={onClose} wide>
        <div className="space-y-2">
          <CopyLine text={shown.url} />
          <HookSecret {...shown} />
        </div>
      </Dialog>
    )
  }
  return (
    <Dialog
      title={trigger ? `Change: ${KIND_WORDS[trigger.kind]}` : `Add a trigger to ${job.name}`}
      onClose={onClose}
      wide
    >
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          save.start(draft, (secret) => (secret === null ? onClose() : setShown(secret)))
        }}
      >
        {!trigger && <KindField kind={draft.kind} onChange={(kind) => setDraft(newTrigger(kind))} />}
        <TriggerFields
          draft={draft}
          stored={trigger !== null}
          problems={{ ...below(at, 'trigger.'), ...below(at, 'change.') }}
          onChange={(part) => setDraft({ ...draft, ...part })}
        />
        <Problem text={general} />
        <FormEnd onCancel={onClose} busy={save.busy} submit={trigger ? 'Save the trigger' : 'Add it'} />
      </form>
    </Dialog>
  )
}
