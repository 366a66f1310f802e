import { Plus, X } from 'lucide-react'
import { Button } from '../elements/button.tsx'
import { newOutput, type OutputDraft } from './output-draft.ts'
import { OutputFieldset } from './output-fieldset.tsx'
import { KIND_LABELS } from './output-kinds.ts'

type OutputDraftsProps = {
  outputs: OutputDraft[]
  onChange: (outputs: OutputDraft[]) => void
  problem: string | null
}

/** Where the results of a job that is being made will go; none: they stay with its runs. */
export function OutputDrafts({ outputs, onChange, problem }: OutputDraftsProps) {
  return (
    <fieldset className="space-y-3">
      <legend className="font-medium">Its results go to</legend>
      <p className="text-soft">
        {outputs.length === 0
          ? 'They stay with its runs and go nowhere else.'
          : 'They stay with its runs too.'}
      </p>
      {outputs.map((draft, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a draft has nothing else that stays while it is typed.
        <fieldset key={index} className="card p-4">
          <legend className="sr-only">{KIND_LABELS[draft.kind]}</legend>
          <div className="-mt-1 mb-1 flex justify-end">
            <Button
              small
              look="bare"
              icon={<X size={15} aria-hidden />}
              onClick={() => onChange(outputs.filter((_, at) => at !== index))}
            >
              Remove
            </Button>
          </div>
          <OutputFieldset
            draft={draft}
            stored={false}
            problem={problem}
            onChange={(next) => onChange(outputs.map((one, at) => (at === index ? next : one)))}
          />
        </fieldset>
      ))}
      <Button
        small
        icon={<Plus size={14} aria-hidden />}
        onClick={() => onChange([...outputs, newOutput('email')])}
      >
        {outputs.length === 0 ? 'Add an output' : 'Add another output'}
      </Button>
    </fieldset>
  )
}
