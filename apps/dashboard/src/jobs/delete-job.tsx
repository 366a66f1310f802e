import type { JobView } from '@baton/protocol'
import { useState } from 'react'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { ConfirmDialog } from '../elements/dialog.tsx'

/** Deletes a job for good, once its key was typed. */
export function DeleteJob({ job, onDeleted }: { job: JobView; onDeleted: () => void }) {
  const [asking, setAsking] = useState(false)
  const [typed, setTyped] = useState('')
  const remove = useAction('deleting the job', (api, id: JobView['id']) => api.jobs.delete.mutate({ id }))
  return (
    <>
      <Button look="danger" onClick={() => setAsking(true)}>
        Delete…
      </Button>
      {asking && (
        <ConfirmDialog
          title={`Delete ${job.name}?`}
          confirm="Delete the job"
          typed={{ value: typed, onChange: setTyped, expected: job.key }}
          busy={remove.busy}
          problem={remove.problem}
          onConfirm={() => remove.start(job.id, onDeleted)}
          onClose={() => setAsking(false)}
        >
          <p>
            Nothing fires it any more, and addresses of its webhooks stop answering for good. Its runs stay.
          </p>
        </ConfirmDialog>
      )}
    </>
  )
}
