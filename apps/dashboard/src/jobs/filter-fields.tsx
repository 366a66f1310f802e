import { FILTER_OPS, type FilterOp } from '@baton/protocol'
import { Plus, X } from 'lucide-react'
import { Button, IconButton } from '../elements/button.tsx'
import type { FilterDraft } from './trigger-draft.ts'

const OP_WORDS: Record<FilterOp, string> = {
  eq: 'is',
  ne: 'is not',
  in: 'is one of',
  exists: 'is there',
  missing: 'is not there',
  prefix: 'begins with',
  glob: 'looks like',
  gt: 'is more than',
  lt: 'is less than',
}

type FilterFieldsProps = {
  filters: FilterDraft[]
  onChange: (filters: FilterDraft[]) => void
  problems: Record<string, string>
}

/** Conditions on what arrived: all must hold, else it is kept and starts nothing. */
export function FilterFields({ filters, onChange, problems }: FilterFieldsProps) {
  const change = (index: number, part: Partial<FilterDraft>) =>
    onChange(filters.map((filter, at) => (at === index ? { ...filter, ...part } : filter)))
  return (
    <fieldset className="space-y-2">
      <legend className="font-medium">Only when</legend>
      {filters.length === 0 && <p className="text-[13px] text-soft">Everything that arrives fires it.</p>}
      {filters.map((filter, index) => {
        const own = Object.entries(problems).filter(([path]) => path.startsWith(`filters[${index}]`))
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a filter has nothing else that stays while it is typed.
          <div key={index} className="space-y-1">
            <div className="flex flex-wrap items-center gap-2">
              <input
                className="field min-w-40 flex-1 font-mono text-[13px]"
                aria-label={`Field of filter ${index + 1}`}
                placeholder="payload.action"
                value={filter.field}
                onChange={(event) => change(index, { field: event.target.value })}
              />
              <select
                className="field w-auto"
                aria-label={`Condition of filter ${index + 1}`}
                value={filter.op}
                onChange={(event) => change(index, { op: event.target.value as FilterOp })}
              >
                {FILTER_OPS.map((op) => (
                  <option key={op} value={op}>
                    {OP_WORDS[op]}
                  </option>
                ))}
              </select>
              {filter.op !== 'exists' && filter.op !== 'missing' && (
                <input
                  className="field min-w-32 flex-1 font-mono text-[13px]"
                  aria-label={`Value of filter ${index + 1}`}
                  placeholder={filter.op === 'in' ? 'opened, reopened' : 'opened'}
                  value={filter.value}
                  onChange={(event) => change(index, { value: event.target.value })}
                />
              )}
              <IconButton
                label={`Remove filter ${index + 1}`}
                icon={<X size={15} aria-hidden />}
                onClick={() => onChange(filters.filter((_, at) => at !== index))}
              />
            </div>
            {own.map(([path, what]) => (
              <p key={path} role="alert" className="text-[13px] text-bad">
                {what}
              </p>
            ))}
          </div>
        )
      })}
      <Button
        small
        icon={<Plus size={14} aria-hidden />}
        onClick={() => onChange([...filters, { field: '', op: 'eq', value: '' }])}
      >
        Add a condition
      </Button>
    </fieldset>
  )
}
