import type { ApprovalScope, ApprovalView } from '@baton/protocol'
import { useId } from 'react'

type Props = {
  job: ApprovalView['job']
  scope: ApprovalScope
  pattern: string
  onScope: (scope: ApprovalScope) => void
  onPattern: (pattern: string) => void
}

/** How far a yes reaches, and for more than this once: what it covers. */
export function ScopeChoice({ job, scope, pattern, onScope, onPattern }: Props) {
  const id = useId()
  const choices: [ApprovalScope, string][] = [
    ['once', 'This once'],
    ['session', 'The rest of this run'],
    ...(job ? [['job', `Every run of ${job.name}`] as [ApprovalScope, string]] : []),
  ]
  return (
    <fieldset className="space-y-2">
      <legend className="mb-1 text-[13px] text-soft">A yes is for</legend>
      <div className="flex flex-wrap gap-1.5">
        {choices.map(([value, label]) => (
          <label
            key={value}
            className="inline-flex min-h-8 cursor-pointer items-center gap-1.5 rounded-lg border border-line-strong/60 px-2.5 text-[13px] has-checked:border-accent has-checked:bg-accent-soft has-checked:text-accent has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name={`${id}-scope`}
              value={value}
              checked={scope === value}
              onChange={() => onScope(value)}
              className="accent-[var(--color-accent)]"
            />
            {label}
          </label>
        ))}
      </div>
      {scope !== 'once' && (
        <label htmlFor={`${id}-pattern`} className="block space-y-1">
          <span className="text-[13px] text-soft">
            What is allowed without a question, such as <code>Bash(git *)</code>
          </span>
          <input
            id={`${id}-pattern`}
            className="field font-mono"
            autoComplete="off"
            spellCheck={false}
            value={pattern}
            onChange={(event) => onPattern(event.target.value)}
          />
        </label>
      )}
    </fieldset>
  )
}
