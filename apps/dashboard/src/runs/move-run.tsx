import type { RunView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { agentsQuery } from '../api/queries.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { ConfirmDialog, Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'

/** For work that waits for its machine: give it to another agent, or stop waiting for a machine that went away. */
export function MoveRun({ run }: { run: RunView }) {
  const [open, setOpen] = useState<'move' | 'give up' | null>(null)
  const isStalled = run.deliveryState === 'stalled'
  const isWaiting = run.deliveryState === 'pending' || run.deliveryState === 'parked'
  if (!isStalled && !isWaiting) return null
  const close = () => setOpen(null)
  return (
    <>
      <Button onClick={() => setOpen('move')}>Run elsewhere…</Button>
      {isStalled && <Button onClick={() => setOpen('give up')}>Give up…</Button>}
      {open === 'move' && <Move run={run} onClose={close} />}
      {open === 'give up' && <GiveUp run={run} onClose={close} />}
    </>
  )
}

type StepProps = { run: RunView; onClose: () => void }

function Move({ run, onClose }: StepProps) {
  const { client } = useApi()
  const agents = useQuery(agentsQuery(client))
  const others = (agents.data ?? []).filter(({ id, state }) => id !== run.agent.id && state !== 'archived')
  const ready = others.toSorted((one, other) => rank(one.state) - rank(other.state))
  const [chosen, setChosen] = useState('')
  const agent = chosen || (ready[0]?.key ?? '')
  const [workspace, setWorkspace] = useState('')
  const move = useAction('giving it to another agent', (api, input: { agent: string; workspace: string }) =>
    api.runs.move.mutate({
      id: run.id,
      agent: input.agent,
      ...(input.workspace && { workspace: input.workspace }),
    }),
  )
  return (
    <Dialog title="Run elsewhere" onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          move.start({ agent, workspace: workspace.trim() }, onClose)
        }}
      >
        <p className="text-soft">
          {run.ladder.startedAt === null
            ? 'It has not started anywhere, so nothing is done twice.'
            : `It was at work on ${run.machine.name}. What it did there stays there; the other agent begins from the prompt.`}
        </p>
        <Field
          label="Agent"
          hint={agents.data && ready.length === 0 ? 'There is no other agent.' : undefined}
        >
          <select
            className="field"
            required
            data-focus
            value={agent}
            onChange={(event) => setChosen(event.target.value)}
          >
            {ready.map((one) => (
              <option key={one.id} value={one.key}>
                {one.key} on {one.machine.name} ({one.state})
              </option>
            ))}
          </select>
        </Field>
        <Field label="Folder on that machine" hint="Empty: the folder of that agent.">
          <input
            className="field font-mono"
            value={workspace}
            placeholder={run.requestedWorkspace ?? '/home/me/project'}
            onChange={(event) => setWorkspace(event.target.value)}
          />
        </Field>
        <Problem text={move.problem} />
        <FormEnd onCancel={onClose} busy={move.busy} submit="Give it to that agent" />
      </form>
    </Dialog>
  )
}

const rank = (state: string) => ['idle', 'busy'].indexOf(state) >>> 0

function GiveUp({ run, onClose }: StepProps) {
  const giveUp = useAction('giving it up', (api, id: string) => api.runs.giveUp.mutate({ id }))
  return (
    <ConfirmDialog
      title="Stop waiting for this machine?"
      confirm="Give it up"
      busy={giveUp.busy}
      problem={giveUp.problem}
      onConfirm={() => giveUp.start(run.id, onClose)}
      onClose={onClose}
    >
      <p>
        The run counts as lost, unless its job says that it may be tried again. When {run.machine.name} comes
        back after all, what it did is still kept on this page.
      </p>
    </ConfirmDialog>
  )
}
