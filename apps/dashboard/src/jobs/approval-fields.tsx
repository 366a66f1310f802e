import { Field } from '../elements/field.tsx'

export type ApprovalDraft = { mode: '' | 'deny' | 'ask'; allow: string }

type ApprovalFieldsProps = {
  approvals: ApprovalDraft
  onChange: (approvals: ApprovalDraft) => void
  problems: Record<string, string>
  /** A job can leave it to its agent. */
  inherits?: boolean
}

/** What happens when an agent asks, and what needs no question. */
export function ApprovalFields({ approvals, onChange, problems, inherits = false }: ApprovalFieldsProps) {
  const [problem] = Object.entries(problems).filter(([path]) => path.startsWith('approvals.allow'))
  return (
    <>
      <Field label="When the agent asks for permission">
        <select
          className="field"
          value={approvals.mode}
          onChange={(event) => onChange({ ...approvals, mode: event.target.value as ApprovalDraft['mode'] })}
        >
          {inherits && <option value="">as its agent’s settings say</option>}
          <option value="deny">it is refused at once, and the run goes on without</option>
          <option value="ask">a person is asked, and the run waits for the answer</option>
        </select>
      </Field>
      <Field
        label="Allowed without a question"
        problem={problem?.[1]}
        hint="One tool on each line, or a tool with a pattern, like Bash(git *)."
      >
        <textarea
          className="field min-h-20 font-mono text-[13px]"
          spellCheck={false}
          value={approvals.allow}
          onChange={(event) => onChange({ ...approvals, allow: event.target.value })}
        />
      </Field>
    </>
  )
}
