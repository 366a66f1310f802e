import { isFinishedDelivery, type RunView } from '@baton/protocol'
import { useNavigate } from '@tanstack/react-router'
import { Ellipsis, RotateCcw, Square } from 'lucide-react'
import { useState } from 'react'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { ConfirmDialog, Problem } from '../elements/dialog.tsx'
import { Menu, MenuItem } from '../elements/menu.tsx'
import { CopyRunMenu } from './copy-run-menu.tsx'
import { MoveRun } from './move-run.tsx'
import { StartRunForm } from './start-run-form.tsx'

/** What can be done with a run: cancel it or move it while it goes on, run it again or make a job of it after. */
export function RunActions({ run }: { run: RunView }) {
  const finished = isFinishedDelivery(run.deliveryState)
  const navigate = useNavigate()
  const again = useAction('starting it again', (api, id: string) => api.runs.again.mutate({ id }))
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap gap-2 lg:justify-end">
        {finished ? (
          <Button
            icon={<RotateCcw size={15} aria-hidden />}
            disabled={again.busy}
            onClick={() =>
              again.start(run.id, ({ runId }) => void navigate({ to: '/runs/$runId', params: { runId } }))
            }
          >
            {again.busy ? 'One moment…' : 'Run again'}
          </Button>
        ) : (
          <>
            <MoveRun run={run} />
            <CancelRun run={run} />
          </>
        )}
        <CopyRunMenu runId={run.id} />
        <More run={run} />
      </div>
      <Problem text={again.problem} />
    </div>
  )
}

/** What goes on from a run's prompt. */
function More({ run }: { run: RunView }) {
  const navigate = useNavigate()
  const [editing, setEditing] = useState(false)
  return (
    <>
      <Menu label={<span className="sr-only">More</span>} icon={<Ellipsis size={16} aria-hidden />}>
        <MenuItem onClick={() => setEditing(true)}>Change the prompt and run it…</MenuItem>
        {run.job === null ? (
          <MenuItem onClick={() => void navigate({ to: '/jobs/new', search: { run: run.id } })}>
            Make a job of it…
          </MenuItem>
        ) : (
          <MenuItem onClick={() => void navigate({ to: '/jobs/$job', params: { job: run.job?.key ?? '' } })}>
            Open its job
          </MenuItem>
        )}
      </Menu>
      {editing && (
        <StartRunForm
          title="Run it with another prompt"
          first={{
            prompt: run.prompt,
            agent: run.agent.key,
            workspace: run.requestedWorkspace ?? '',
          }}
          onClose={() => setEditing(false)}
        />
      )}
    </>
  )
}

function CancelRun({ run }: { run: RunView }) {
  const [asking, setAsking] = useState(false)
  const cancel = useAction('cancelling the run', (api, id: string) => api.runs.cancel.mutate({ id }))
  if (run.cancelRequestedAt !== null) {
    return (
      <Button disabled icon={<Square size={14} aria-hidden />}>
        Cancelling…
      </Button>
    )
  }
  return (
    <>
      <Button look="danger" icon={<Square size={14} aria-hidden />} onClick={() => setAsking(true)}>
        Cancel
      </Button>
      {asking && (
        <ConfirmDialog
          title="Cancel this run?"
          confirm="Cancel the run"
          busy={cancel.busy}
          problem={cancel.problem}
          onConfirm={() => cancel.start(run.id, () => setAsking(false))}
          onClose={() => setAsking(false)}
        >
          {run.ladder.startedAt === null ? (
            <p>It has not started, so nothing is left behind.</p>
          ) : (
            <p>
              The agent {run.agent.key} on {run.machine.name} is told to stop; what is still running after 10
              seconds is killed, with everything it started. What it changed in its workspace stays as it is.
            </p>
          )}
        </ConfirmDialog>
      )}
    </>
  )
}
