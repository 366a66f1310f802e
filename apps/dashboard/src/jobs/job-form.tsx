import type { AgentView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { agentsQuery } from '../api/queries.ts'
import { BudgetFields, budgetWords } from '../elements/budget-fields.tsx'
import { Problem } from '../elements/dialog.tsx'
import { Field, Folded, FormEnd } from '../elements/field.tsx'
import { inputProblems, SAID_AT_FIELDS } from '../elements/input-problems.ts'
import { LeaveGuard } from '../elements/leave-guard.tsx'
import { FolderHint, useMachinePolicy } from '../machines/policy-hint.tsx'
import { outputProblems } from '../outputs/output-draft.ts'
import { OutputDrafts } from '../outputs/output-drafts.tsx'
import { ApprovalFields } from './approval-fields.tsx'
import type { JobDraft } from './job-draft.ts'
import { LimitFields } from './limit-fields.tsx'
import { RuleFields } from './rule-fields.tsx'
import { TemplateHelp } from './template-help.tsx'
import { toKey } from './to-key.ts'
import { TriggerDrafts } from './trigger-drafts.tsx'

export type JobFormProps = {
  start: JobDraft
  /** A job that exists keeps its key, and its triggers are changed on its page. */
  stored: boolean
  submit: string
  action: { start: (draft: JobDraft) => void; busy: boolean; problem: string | null }
  onCancel: () => void
  /** Stands below the prompt and follows what is typed. */
  rehearsal?: (draft: JobDraft) => ReactNode
}

/** The inputs whose problems are said at their fields. */
const HAVE_PLACE = /^(name|key|agent|prompt|workspace|triggers|rules|limits|approvals)\b/

/** All that a job is, most needed first; what most people leave alone is folded. */
export function JobForm({ start, stored, submit, action, onCancel, rehearsal }: JobFormProps) {
  const { client } = useApi()
  const agents = useQuery(agentsQuery(client))
  const usable = agents.data?.filter(({ state }) => state !== 'archived') ?? []
  const [draft, setDraft] = useState(start)
  const change = (part: Partial<JobDraft>) => setDraft((before) => ({ ...before, ...part }))
  const complete = {
    ...draft,
    key: draft.key || toKey(draft.name),
    agent: draft.agent || usable[0]?.key || '',
  }
  const policy = useMachinePolicy(usable.find(({ key }) => key === complete.agent)?.machine.id)
  const { general, at } = inputProblems(action.problem, (path) => HAVE_PLACE.test(path))
  const isOutputWrong = draft.outputs.some(
    ({ kind }) => Object.keys(outputProblems(action.problem, kind)).length > 0,
  )
  // What is wrong must be seen: its part opens.
  const isWrong = (part: string) => Object.keys(at).some((path) => path.startsWith(part))
  return (
    <form
      className="max-w-3xl space-y-5"
      onSubmit={(event) => {
        event.preventDefault()
        action.start(complete)
      }}
    >
      <LeaveGuard when={JSON.stringify(draft) !== JSON.stringify(start)} />
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Name" problem={at.name}>
          <input
            className="field"
            required
            maxLength={100}
            value={draft.name}
            placeholder="Review pushes"
            onChange={(event) => change({ name: event.target.value })}
          />
        </Field>
        <Field
          label="Key"
          problem={at.key}
          hint={stored ? 'Commands use it; it stays.' : 'Commands use it. Empty: made of the name.'}
        >
          <input
            className="field font-mono"
            disabled={stored}
            pattern="[a-z0-9][a-z0-9\-]{0,62}"
            title="Small letters, digits and dashes"
            value={draft.key}
            placeholder={toKey(draft.name)}
            onChange={(event) => change({ key: event.target.value })}
          />
        </Field>
      </div>
      <AgentChoice
        agents={usable}
        value={complete.agent}
        problem={at.agent}
        onChange={(agent) => change({ agent })}
      />
      <Field label="Prompt" problem={at.prompt}>
        <textarea
          className="field min-h-36"
          required
          value={draft.prompt}
          placeholder="Look at what was pushed to {{ payload.ref }} and say what could break."
          onChange={(event) => change({ prompt: event.target.value })}
        />
      </Field>
      <TemplateHelp
        onPick={(name) => change({ prompt: `${draft.prompt}${draft.prompt && ' '}{{ ${name} }}` })}
      />
      {rehearsal?.(complete)}
      {!stored && (
        <TriggerDrafts
          triggers={draft.triggers}
          problems={at}
          onChange={(triggers) => change({ triggers })}
        />
      )}
      {!stored && (
        <OutputDrafts
          outputs={draft.outputs}
          problem={action.problem}
          onChange={(outputs) => change({ outputs })}
        />
      )}
      <Folded
        title="Where it works"
        hint={draft.workspace || 'a folder that the runner keeps for the agent'}
        open={isWrong('workspace')}
      >
        <Field
          label="Folder on the agent’s machine"
          problem={at.workspace}
          hint={
            <FolderHint
              policy={policy}
              words="Absolute, ~ for its home, scratch for a fresh one each time, or worktree:/folder[#branch] for a git worktree of its own."
            />
          }
        >
          <input
            className="field font-mono"
            value={draft.workspace}
            placeholder="/home/me/project"
            onChange={(event) => change({ workspace: event.target.value })}
          />
        </Field>
      </Folded>
      <Folded
        title="Rules"
        hint="when it waits, and what happens when it fires again meanwhile"
        open={isWrong('rules')}
      >
        <RuleFields draft={draft} onChange={change} problems={at} />
      </Folded>
      <Folded title="Limits" hint="when a run is ended, and how often it is tried" open={isWrong('limits')}>
        <LimitFields
          limits={draft.limits}
          problems={at}
          onChange={(part) => change({ limits: { ...draft.limits, ...part } })}
        />
      </Folded>
      <Folded title="Budget" hint={budgetWords(draft.budget) ?? 'none: its agent’s counts'}>
        <BudgetFields budget={draft.budget} onChange={(budget) => change({ budget })} />
      </Folded>
      <Folded title="Approvals" hint="what its runs may do without a question" open={isWrong('approvals')}>
        <ApprovalFields
          approvals={draft.approvals}
          problems={at}
          inherits
          onChange={(approvals) => change({ approvals })}
        />
      </Folded>
      {stored && (
        <Folded title="How long its runs are kept" hint="the organization’s numbers where it has none">
          <RetentionFields draft={draft} onChange={change} />
        </Folded>
      )}
      <Problem text={isOutputWrong ? SAID_AT_FIELDS : general} />
      <FormEnd onCancel={onCancel} busy={action.busy} submit={submit} />
    </form>
  )
}

type AgentChoiceProps = {
  agents: AgentView[]
  value: string
  problem: string | undefined
  onChange: (key: string) => void
}

function AgentChoice({ agents, value, problem, onChange }: AgentChoiceProps) {
  return (
    <Field label="Agent" problem={problem}>
      <select className="field" required value={value} onChange={(event) => onChange(event.target.value)}>
        {agents.length === 0 && <option value="">No agent yet</option>}
        {agents.map((one) => (
          <option key={one.id} value={one.key}>
            {one.key} ({one.runtime}) on {one.machine.name}
          </option>
        ))}
      </select>
    </Field>
  )
}

function RetentionFields({
  draft: { retention },
  onChange,
}: {
  draft: JobDraft
  onChange: (part: Partial<JobDraft>) => void
}) {
  const field = (name: 'runs' | 'days', label: string) => (
    <Field label={label}>
      <input
        className="field max-w-40"
        type="number"
        min={1}
        placeholder="as the organization"
        value={retention[name] ?? ''}
        onChange={({ target }) =>
          onChange({ retention: { ...retention, [name]: target.value === '' ? null : Number(target.value) } })
        }
      />
    </Field>
  )
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      {field('runs', 'The newest runs')}
      {field('days', 'For days')}
    </div>
  )
}
