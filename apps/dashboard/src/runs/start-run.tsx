import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Play } from 'lucide-react'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { agentsQuery } from '../api/queries.ts'
import { randomKey } from '../api/random-key.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'

/** The button that starts a run by hand, and its form. */
export function StartRun({ agent }: { agent?: string }) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button look="main" icon={<Play size={15} aria-hidden />} onClick={() => setOpen(true)}>
        Start a run
      </Button>
      {open && <StartRunForm agent={agent ?? 'auto'} onClose={() => setOpen(false)} />}
    </>
  )
}

function StartRunForm({ agent: first, onClose }: { agent: string; onClose: () => void }) {
  const { client } = useApi()
  const navigate = useNavigate()
  const agents = useQuery(agentsQuery(client))
  const [idempotencyKey] = useState(randomKey)
  const [prompt, setPrompt] = useState('')
  const [agent, setAgent] = useState(first)
  const [workspace, setWorkspace] = useState('')
  const start = useAction(
    'starting the run',
    (api, input: { prompt: string; agent: string; workspace: string }) =>
      api.runs.create.mutate({
        prompt: input.prompt,
        agent: input.agent,
        idempotencyKey,
        ...(input.workspace && { workspace: input.workspace }),
      }),
  )
  return (
    <Dialog title="Start a run" onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          start.start({ prompt, agent, workspace }, ({ runId }) => {
            void navigate({ to: '/runs/$runId', params: { runId } })
          })
        }}
      >
        <Field label="What should the agent do?">
          <textarea
            className="field min-h-32"
            required
            data-focus
            value={prompt}
            placeholder="Explain this repository in five bullets"
            onChange={(event) => setPrompt(event.target.value)}
          />
        </Field>
        <Field label="Agent">
          <select className="field" value={agent} onChange={(event) => setAgent(event.target.value)}>
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
          hint="Absolute. Empty: a folder that the runner keeps for the agent."
        >
          <input
            className="field font-mono"
            value={workspace}
            placeholder="/home/me/project"
            pattern="(/|[A-Za-z]:).*"
            title="An absolute path"
            onChange={(event) => setWorkspace(event.target.value)}
          />
        </Field>
        <Problem text={start.problem} />
        <FormEnd onCancel={onClose} busy={start.busy} submit="Start" />
      </form>
    </Dialog>
  )
}
