import type { AgentView, PermissionMode } from '@baton/protocol'
import { type ReactNode, useState } from 'react'
import { BudgetFields, budgetWords } from '../elements/budget-fields.tsx'
import { Problem } from '../elements/dialog.tsx'
import { DurationField } from '../elements/duration-field.tsx'
import { Field, Folded, FormEnd } from '../elements/field.tsx'
import { formatCount } from '../elements/format.ts'
import { inputProblems } from '../elements/input-problems.ts'
import { LeaveGuard } from '../elements/leave-guard.tsx'
import { NumberField } from '../elements/number-field.tsx'
import { ApprovalFields } from '../jobs/approval-fields.tsx'
import { FolderHint, ModeHint, useMachinePolicy } from '../machines/policy-hint.tsx'
import type { AgentDraft } from './agent-draft.ts'
import { PERMISSION_WORDS } from './agent-words.ts'
import { IsolationFields } from './isolation-fields.tsx'

type AgentFormProps = {
  agent: AgentView
  start: AgentDraft
  action: { start: (draft: AgentDraft) => void; busy: boolean; problem: string | null }
  onCancel: () => void
}

/** The inputs whose problems are said at their fields. */
const HAVE_PLACE = /^(name|command|model|workspace|instructions|approvals|isolation|maxConcurrent|perHour)\b/

/** What an agent is told, may do and may use. */
export function AgentForm({ agent, start, action, onCancel }: AgentFormProps) {
  const [draft, setDraft] = useState(start)
  const change = (part: Partial<AgentDraft>) => setDraft((before) => ({ ...before, ...part }))
  const { general, at } = inputProblems(action.problem, (path) => HAVE_PLACE.test(path))
  const policy = useMachinePolicy(agent.machine.id)
  const takesCommand = agent.runtime === 'command' || agent.runtime === 'acp'
  const text = (name: 'name' | 'command' | 'model' | 'workspace', label: string, hint?: ReactNode) => (
    <Field label={label} hint={hint} problem={at[name]}>
      <input
        className={`field ${name === 'name' ? '' : 'font-mono'}`}
        required={name === 'name' || name === 'command'}
        value={draft[name]}
        onChange={(event) => change({ [name]: event.target.value })}
      />
    </Field>
  )
  return (
    <form
      className="max-w-3xl space-y-5"
      onSubmit={(event) => {
        event.preventDefault()
        action.start(draft)
      }}
    >
      <LeaveGuard when={JSON.stringify(draft) !== JSON.stringify(start)} />
      <div className="grid gap-4 sm:grid-cols-2">
        {text('name', 'Name')}
        {takesCommand && text('command', 'Command', 'Its name in the policy file of the machine.')}
        {agent.runtime !== 'command' &&
          text(
            'model',
            'Model',
            agent.runtime === 'chat'
              ? 'Such as anthropic/<model> or openai/<model>.'
              : 'Empty: what the program itself chooses.',
          )}
      </div>
      <Field
        label="Instructions (Markdown)"
        hint={`Added to every prompt. ${formatCount(draft.instructions.length)} of 100,000 characters.`}
        problem={at.instructions}
      >
        <textarea
          className="field min-h-64 font-mono text-[13px]"
          maxLength={100_000}
          value={draft.instructions}
          placeholder={'# How we work here\n\n- Run the tests before you say that you are done.'}
          onChange={(event) => change({ instructions: event.target.value })}
        />
      </Field>
      <Field label="It may" hint={<ModeHint policy={policy} mode={draft.permissionMode} />}>
        <select
          className="field"
          value={draft.permissionMode}
          onChange={(event) => change({ permissionMode: event.target.value as PermissionMode })}
        >
          {Object.entries(PERMISSION_WORDS).map(([mode, words]) => (
            <option key={mode} value={mode}>
              {words}
            </option>
          ))}
        </select>
      </Field>
      <Folded title="Approvals" hint="what happens when it asks">
        <ApprovalFields
          approvals={draft.approvals}
          problems={at}
          onChange={(approvals) => change({ approvals })}
        />
        {draft.approvals.mode === 'ask' && (
          <DurationField
            label="Refused when nobody answered for"
            required
            ms={draft.expiresMs}
            problem={at['approvals.expiresMs']}
            onChange={(expiresMs) => change({ expiresMs })}
          />
        )}
      </Folded>
      <Folded title="Where it works" hint={draft.workspace || 'a folder that the runner keeps for it'}>
        {text(
          'workspace',
          'Folder on its machine',
          <FolderHint
            policy={policy}
            words="Absolute, ~ for its home, scratch for a fresh one each time, or worktree:/folder[#branch] for a git worktree of its own."
          />,
        )}
        <IsolationFields draft={draft} onChange={change} problems={at} />
      </Folded>
      <Folded title="How much at once">
        <div className="grid gap-4 sm:grid-cols-2">
          <NumberField
            label="Runs at once"
            min={1}
            max={100}
            required
            value={draft.maxConcurrent}
            problem={at.maxConcurrent}
            onChange={(maxConcurrent) => change({ maxConcurrent })}
          />
          <NumberField
            label="Runs in an hour"
            min={1}
            placeholder="no limit"
            value={draft.perHour}
            problem={at.perHour}
            onChange={(perHour) => change({ perHour })}
          />
        </div>
      </Folded>
      <Folded title="Budget" hint={budgetWords(draft.budget) ?? 'none'}>
        <BudgetFields budget={draft.budget} onChange={(budget) => change({ budget })} />
      </Folded>
      <Problem text={general} />
      <FormEnd onCancel={onCancel} busy={action.busy} submit="Save" />
    </form>
  )
}
