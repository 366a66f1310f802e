import { Plus, X } from 'lucide-react'
import { Button } from '../elements/button.tsx'
import { Field } from '../elements/field.tsx'
import { newTrigger, type TriggerDraft, type TriggerDraftKind } from './trigger-draft.ts'
import { TriggerFields } from './trigger-fields.tsx'

export const TRIGGER_CHOICES: Record<TriggerDraftKind, string> = {
  webhook: 'a webhook arrives',
  cron: 'it is time (cron)',
  interval: 'some time has passed',
  file_change: 'files change on the agent’s machine',
  git_push: 'somebody pushes to a git repository',
  github: 'something happens on GitHub (with the App)',
}

type TriggerDraftsProps = {
  triggers: TriggerDraft[]
  onChange: (triggers: TriggerDraft[]) => void
  problems: Record<string, string>
}

/** What will fire a job that is being made; none: only people do. */
export function TriggerDrafts({ triggers, onChange, problems }: TriggerDraftsProps) {
  return (
    <fieldset className="space-y-3">
      <legend className="font-medium">Starts when</legend>
      {triggers.length === 0 && <p className="text-soft">Only a person starts it.</p>}
      {triggers.map((draft, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a draft has nothing else that stays while it is typed.
        <div key={index} className="card space-y-4 p-4">
          <div className="flex flex-wrap items-end justify-between gap-3">
            <div className="min-w-0">
              <KindField
                kind={draft.kind}
                onChange={(kind) =>
                  onChange(triggers.map((one, at) => (at === index ? newTrigger(kind) : one)))
                }
              />
            </div>
            <Button
              look="bare"
              icon={<X size={15} aria-hidden />}
              onClick={() => onChange(triggers.filter((_, at) => at !== index))}
            >
              Remove
            </Button>
          </div>
          <TriggerFields
            draft={draft}
            stored={false}
            problems={below(problems, `triggers[${index}].`)}
            onChange={(part) =>
              onChange(triggers.map((one, at) => (at === index ? { ...one, ...part } : one)))
            }
          />
        </div>
      ))}
      <Button
        small
        icon={<Plus size={14} aria-hidden />}
        onClick={() => onChange([...triggers, newTrigger('cron')])}
      >
        {triggers.length === 0 ? 'Add a trigger' : 'Add another trigger'}
      </Button>
    </fieldset>
  )
}

export function KindField({
  kind,
  onChange,
}: {
  kind: TriggerDraftKind
  onChange: (kind: TriggerDraftKind) => void
}) {
  return (
    <Field label="When">
      <select
        className="field w-auto max-w-full"
        value={kind}
        onChange={(event) => onChange(event.target.value as TriggerDraftKind)}
      >
        {Object.entries(TRIGGER_CHOICES).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </Field>
  )
}

/** The problems below a path, without it. */
export function below(problems: Record<string, string>, path: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(problems)
      .filter(([at]) => at.startsWith(path))
      .map(([at, what]) => [at.slice(path.length), what]),
  )
}
