import type { JobView, WebhookScheme } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { agentsQuery } from '../api/queries.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { batonCommand } from '../elements/command-line.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'
import { HookSecret } from './job-panel.tsx'
import { toKey } from './to-key.ts'

type Draft = {
  name: string
  agent: string
  prompt: string
  workspace: string
  trigger: 'none' | WebhookScheme
}
type Created = {
  job: JobView
  secrets: readonly { triggerId: string; url: string; scheme: WebhookScheme; secret: string }[]
}

/** The form of a new job; afterwards its webhook with the secret, shown this once. */
export function CreateJob({ onClose }: { onClose: () => void }) {
  const [created, setCreated] = useState<Created | null>(null)
  return (
    <Dialog title={created ? `${created.job.name} is ready` : 'New job'} onClose={onClose} wide>
      {created ? (
        <JobCreated created={created} onClose={onClose} />
      ) : (
        <Form onCreated={setCreated} onClose={onClose} />
      )}
    </Dialog>
  )
}

function Form({ onCreated, onClose }: { onCreated: (created: Created) => void; onClose: () => void }) {
  const { client } = useApi()
  const agents = useQuery(agentsQuery(client))
  const usable = agents.data?.filter(({ state }) => state !== 'archived') ?? []
  const [draft, setDraft] = useState<Draft>({
    name: '',
    agent: '',
    prompt: '',
    workspace: '',
    trigger: 'baton',
  })
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }))
  const key = toKey(draft.name)
  const agent = draft.agent || usable[0]?.key || ''
  const create = useAction('creating the job', (api, input: Draft) =>
    api.jobs.create.mutate({
      key: toKey(input.name),
      name: input.name.trim(),
      agent: input.agent,
      prompt: input.prompt,
      ...(input.workspace && { workspace: input.workspace }),
      triggers: input.trigger === 'none' ? [] : [{ kind: 'webhook', scheme: input.trigger }],
    }),
  )
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        create.start({ ...draft, agent }, (answer) => onCreated(answer))
      }}
    >
      <Field label="Name" hint={key && `Its key: ${key}`}>
        <input
          className="field"
          required
          data-focus
          maxLength={80}
          value={draft.name}
          placeholder="Review pushes"
          onChange={(event) => change({ name: event.target.value })}
        />
      </Field>
      <Field label="Agent">
        <select
          className="field"
          required
          value={agent}
          onChange={(event) => change({ agent: event.target.value })}
        >
          {usable.length === 0 && <option value="">No agent yet</option>}
          {usable.map((one) => (
            <option key={one.id} value={one.key}>
              {one.key} on {one.machine.name}
            </option>
          ))}
        </select>
      </Field>
      <Field label="Prompt" hint="{{payload.ref}} is replaced by that value of what the webhook sent.">
        <textarea
          className="field min-h-28"
          required
          value={draft.prompt}
          placeholder="Look at what was pushed to {{payload.ref}} and say what could break."
          onChange={(event) => change({ prompt: event.target.value })}
        />
      </Field>
      <Field label="Starts when">
        <select
          className="field"
          value={draft.trigger}
          onChange={(event) => change({ trigger: event.target.value as Draft['trigger'] })}
        >
          <option value="baton">a webhook arrives, signed with one line of shell</option>
          <option value="github">a webhook of GitHub arrives</option>
          <option value="standard">a webhook arrives, signed as Standard Webhooks</option>
          <option value="none">only by hand</option>
        </select>
      </Field>
      <Field
        label="Folder on the agent’s machine"
        hint="Absolute. Empty: a folder that the runner keeps for the agent."
      >
        <input
          className="field font-mono"
          value={draft.workspace}
          placeholder="/home/me/project"
          onChange={(event) => change({ workspace: event.target.value })}
        />
      </Field>
      <Problem text={create.problem} />
      <FormEnd onCancel={onClose} busy={create.busy} submit="Create the job" />
    </form>
  )
}

function JobCreated({ created, onClose }: { created: Created; onClose: () => void }) {
  const { origin } = useApi()
  return (
    <div className="space-y-4">
      {created.secrets.map(({ triggerId, url, scheme, secret }) => (
        <div key={triggerId} className="space-y-2">
          <p className="font-medium">Send webhooks to</p>
          <CopyLine text={url} />
          <HookSecret url={url} scheme={scheme} secret={secret} />
        </div>
      ))}
      {created.secrets.length === 0 && <p>It runs when you press “Run now”, or with:</p>}
      {created.secrets.length === 0 && <CopyLine text={batonCommand(origin, `job run ${created.job.key}`)} />}
      <div className="flex justify-end">
        <Button look="main" onClick={onClose}>
          Done
        </Button>
      </div>
    </div>
  )
}
