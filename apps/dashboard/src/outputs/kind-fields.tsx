import type { UserOutputKind } from '@baton/protocol'
import type { InputHTMLAttributes } from 'react'
import { Field } from '../elements/field.tsx'
import { isKept, type OutputFields } from './output-kinds.ts'

type Props = {
  kind: UserOutputKind
  fields: OutputFields
  /** By the name of the field in the config. */
  problems: Record<string, string>
  onChange: (change: Partial<OutputFields>) => void
}
type TextName = { [K in keyof OutputFields]: OutputFields[K] extends string ? K : never }[keyof OutputFields]

/** What one kind of output needs to know. */
export function KindFields({ kind, fields, problems, onChange }: Props) {
  const secretProblem = problems.webhookUrl ?? problems.token ?? problems.password ?? problems.secret
  const input = (
    name: TextName,
    label: string,
    more: InputHTMLAttributes<HTMLInputElement> & { hint?: string } = {},
  ) => {
    const { hint, ...rest } = more
    return (
      <Field label={label} hint={hint} problem={name === 'secret' ? secretProblem : problems[name]}>
        <input
          className="field"
          value={fields[name]}
          onChange={(event) => onChange({ [name]: event.target.value })}
          {...rest}
        />
      </Field>
    )
  }
  const secret = (label: string, hint: string, required: boolean) =>
    input('secret', label, {
      type: 'password',
      autoComplete: 'new-password',
      required,
      hint: isKept(fields.secret) ? 'One is stored. Leave it as it is to keep it.' : hint,
    })
  switch (kind) {
    case 'log':
      return <p className="text-soft">What it says is kept with the run and shown on its page.</p>
    case 'stdout':
      return <p className="text-soft">What it says goes into the log of the runner on the agent’s machine.</p>
    case 'file':
      return (
        <>
          {input('path', 'File', {
            required: true,
            placeholder: 'reports/{{ run.id }}.md',
            hint: 'In the workspace of the run, or absolute inside the folders of that machine’s policy.',
          })}
          <label className="flex items-center gap-2">
            <input
              type="checkbox"
              checked={fields.overwrite}
              onChange={(event) => onChange({ overwrite: event.target.checked })}
            />
            Replace what stands in it (else: append)
          </label>
        </>
      )
    case 'slack':
      return (
        <>
          <Field label="Posted by">
            <select
              className="field"
              value={fields.slackAs}
              onChange={(event) =>
                onChange({ slackAs: event.target.value as OutputFields['slackAs'], secret: '' })
              }
            >
              <option value="webhook">an incoming webhook</option>
              <option value="bot">a bot</option>
            </select>
          </Field>
          {fields.slackAs === 'webhook' ? (
            secret(
              'Address of the webhook',
              'https://hooks.slack.com/services/… It is stored encrypted.',
              true,
            )
          ) : (
            <>
              {secret('Bot token', 'xoxb-… with the scope chat:write. It is stored encrypted.', true)}
              {input('channel', 'Channel', { required: true, placeholder: 'C0123456789' })}
            </>
          )}
        </>
      )
    case 'email':
      return (
        <>
          {input('to', 'To', { required: true, placeholder: 'ops@example.com, dev@example.com' })}
          {input('from', 'From', { placeholder: 'baton@example.com' })}
          <details className="space-y-3">
            <summary className="font-medium text-accent">A mail server of your own</summary>
            {input('host', 'Server', { hint: 'Empty: the mail server of this relay.' })}
            {input('port', 'Port', { inputMode: 'numeric', placeholder: '587' })}
            {input('user', 'User', { autoComplete: 'off' })}
            {secret('Password', 'It is stored encrypted.', false)}
          </details>
        </>
      )
    case 'webhook':
      return (
        <>
          {input('url', 'Address', {
            required: true,
            type: 'url',
            placeholder: 'https://ci.example.com/done',
          })}
          {secret('Signing secret', 'whsec_… Empty: one is made and shown once.', false)}
        </>
      )
    case 'github_comment':
      return (
        <>
          {input('repository', 'Repository', {
            placeholder: 'owner/name',
            hint: 'Empty: where the event came from.',
          })}
          {input('number', 'Issue or pull request', { inputMode: 'numeric' })}
        </>
      )
  }
}
