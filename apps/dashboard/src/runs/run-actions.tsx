import { isFinishedDelivery, type RunView } from '@baton/protocol'
import { useNavigate } from '@tanstack/react-router'
import { RotateCcw, Square } from 'lucide-react'
import { useState } from 'react'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { ConfirmDialog, Problem } from '../elements/dialog.tsx'
import { CopyRunMenu } from './copy-run-menu.tsx'

/** What can be done with a run: cancel it while it goes on, run it again after. */
export function RunActions({ run }: { run: RunView }) {
  const finished = isFinishedDelivery(run.deliveryState)
  const navigate = useNavigate()
  const again = useAction('starting it again', (api, id: string) => api.runs.again.mutate({ id }))
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap gap-2 lg:justify-end">
        <CopyRunMenu runId={run.id} />
        {finished ? (
          <Button
            icon={<RotateCcw size={15} aria-hidden />}
            disabled={again.busy}
            onClick={() =>
              again.start(run.id, ({ runId }) => void navigate({ to: '/runs/$runId', params: { runId } }))
            }
          >
            Run again
          </Button>
        ) : (
          <CancelRun run={run} />
        )}
      </div>
      <Problem text={again.problem} />
    </div>
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
          <p>
            The agent {run.agent.key} on {run.machine.name} is told to stop; what is still running after 10
            seconds is killed, with everything it started. What it changed in its workspace stays as it is.
          </p>
        </ConfirmDialog>
      )}
    </>
  )
}
