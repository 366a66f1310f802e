import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { agentsQuery } from '../api/queries.ts'
import { randomKey } from '../api/random-key.ts'
import { useAction } from '../api/use-action.ts'
import { Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'
import { inputProblems } from '../elements/input-problems.ts'

type Draft = { prompt: string; agent: string; workspace: string }
type StartRunFormProps = { first: Partial<Draft>; title?: string; onClose: () => void }

/** A prompt, who does it and where; it leads to the run. */
export function StartRunForm({ first, title = 'Start a run', onClose }: StartRunFormProps) {
  const { client } = useApi()
  const navigate = useNavigate()
  const agents = useQuery(agentsQuery(client))
  const [idempotencyKey] = useState(randomKey)
  const [draft, setDraft] = useState<Draft>({ prompt: '', agent: 'auto', workspace: '', ...first })
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }))
  const start = useAction('starting the run', (api, { prompt, agent, workspace }: Draft) =>
    api.runs.create.mutate({
      prompt,
      agent,
      idempotencyKey,
      ...(workspace.trim() && { workspace: workspace.trim() }),
    }),
  )
  const { general, at } = inputProblems(start.problem, (path) => path in draft)
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          start.start(draft, ({ runId }) => {
            onClose()
            void navigate({ to: '/runs/$runId', params: { runId } })
          })
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) event.currentTarget.requestSubmit()
        }}
      >
        <Field label="What should the agent do?" problem={at.prompt}>
          <textarea
            className="field min-h-32"
            required
            data-focus
            value={draft.prompt}
            placeholder="Explain this repository in five bullets"
            onChange={(event) => change({ prompt: event.target.value })}
          />
        </Field>
        <Field label="Agent" problem={at.agent}>
          <select
            className="field"
            value={draft.agent}
            onChange={(event) => change({ agent: event.target.value })}
          >
            <option value="auto">auto: the first that is ready</option>
            {agents.data
              ?.filter(({ state }) => state !== 'archived')
              .map((one) => (
                <option key={one.id} value={one.key}>
                  {one.key} on {one.machine.name} ({one.state})
                </option>
              ))}
          </select>
        </Field>
        <Field
          label="Folder on that machine"
          problem={at.workspace}
          hint="Absolute, ~ for its home, scratch for a fresh one, or worktree:/folder[#branch]. Empty: a folder that the runner keeps for the agent."
        >
          <input
            className="field font-mono"
            value={draft.workspace}
            placeholder="/home/me/project"
            onChange={(event) => change({ workspace: event.target.value })}
          />
        </Field>
        <Problem text={general} />
        <FormEnd onCancel={onClose} busy={start.busy} submit="Start" />
      </form>
    </Dialog>
  )
}
