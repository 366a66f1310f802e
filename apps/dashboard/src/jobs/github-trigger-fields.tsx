import { GITHUB_TRIGGER_EVENTS, GITHUB_USUAL_ACTIONS, type GithubTriggerEvent } from '@baton/protocol'
import { Check, Field } from '../elements/field.tsx'
import { TextField, type TriggerFieldsProps } from './trigger-text-field.tsx'

const FEEDBACK = {
  reaction: 'Put an eyes reaction where it came from',
  comment: 'Write one comment that follows the run',
  check: 'Show a check on the commit',
  resultComment: 'Write the result as a comment of its own, which notifies people',
  pullRequest: 'Push the branch of its worktree and open a pull request',
} as const

const HAS_TEXT = ['issues', 'issue_comment', 'pull_request', 'pull_request_review_comment']
const HAS_NO_BRANCH = ['issues', 'issue_comment', 'label']

/** What of GitHub fires a job, who may, and what is shown there meanwhile. */
export function GithubTriggerFields(props: TriggerFieldsProps) {
  const { draft, onChange, stored } = props
  const usual = GITHUB_USUAL_ACTIONS[draft.event]
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Event">
          <select
            className="field"
            disabled={stored}
            value={draft.event}
            onChange={(event) => onChange({ event: event.target.value as GithubTriggerEvent })}
          >
            {GITHUB_TRIGGER_EVENTS.map((event) => (
              <option key={event} value={event}>
                {event.replaceAll('_', ' ')}
              </option>
            ))}
          </select>
        </Field>
        <TextField {...props} name="actions" label="Actions" placeholder={usual.join(', ') || 'any'} />
        <TextField {...props} name="repositories" label="Repositories" placeholder="owner/name, owner/*" />
        {!HAS_NO_BRANCH.includes(draft.event) && (
          <TextField {...props} name="branches" label="Branches" placeholder="main, release/*" />
        )}
        {(draft.event === 'push' || draft.event === 'pull_request') && (
          <TextField {...props} name="paths" label="Changed files" placeholder="src/**" />
        )}
        <TextField {...props} name="labels" label="Labels" />
        <TextField
          {...props}
          name="actors"
          label="Logins"
          hint="Whoever it is must have write permission as well."
        />
        {HAS_TEXT.includes(draft.event) && (
          <TextField
            {...props}
            name="command"
            label="Command"
            placeholder="/fix"
            hint="Its text begins with it."
          />
        )}
      </div>
      {HAS_TEXT.includes(draft.event) && (
        <Check
          label="When its text mentions the App"
          on={draft.mention}
          onChange={(mention) => onChange({ mention })}
        />
      )}
      <Check
        label="Also from forks"
        hint="Their text and code come from outside: such runs get the least power."
        on={draft.forks}
        onChange={(forks) => onChange({ forks })}
      />
      <fieldset>
        <legend className="mb-1 font-medium">Meanwhile, on GitHub</legend>
        {Object.entries(FEEDBACK).map(([name, label]) => (
          <Check
            key={name}
            label={label}
            on={draft.feedback[name as keyof typeof FEEDBACK]}
            onChange={(on) => onChange({ feedback: { ...draft.feedback, [name]: on } })}
          />
        ))}
      </fieldset>
    </>
  )
}
