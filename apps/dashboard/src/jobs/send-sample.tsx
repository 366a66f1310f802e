import type { JobView } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { Send } from 'lucide-react'
import { useState } from 'react'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'

type Sample = { body: string }
type Answer = { status: number; eventId: string | null; detail: string | null }

/** Sends one signed request to a webhook of this job, over the whole way that a sender's takes. */
export function SendSample({ job, triggerId }: { job: JobView; triggerId: string }) {
  const [open, setOpen] = useState(false)
  const [body, setBody] = useState('')
  const [answer, setAnswer] = useState<Answer | null>(null)
  const send = useAction('sending a sample', (api, sample: Sample) =>
    api.events.sendSample.mutate({ jobId: job.id, triggerId, ...(sample.body.trim() && sample) }),
  )
  return (
    <>
      <Button
        small
        look="bare"
        icon={<Send size={14} aria-hidden />}
        disabled={!job.enabled}
        onClick={() => setOpen(true)}
      >
        Send a sample
      </Button>
      {open && (
        <Dialog title="Send a sample" onClose={() => setOpen(false)}>
          <form
            className="space-y-4"
            onSubmit={(event) => {
              event.preventDefault()
              send.start({ body }, setAnswer)
            }}
          >
            <p className="text-soft">
              One request goes to the webhook’s own address, signed with its secret, as its sender’s would.
              What it fires really runs.
            </p>
            <Field label="Body" hint="Empty: a sample of its scheme.">
              <textarea
                className="field min-h-28 font-mono text-[13px]"
                spellCheck={false}
                value={body}
                onChange={(event) => setBody(event.target.value)}
              />
            </Field>
            {answer && (
              <p role="status" className={answer.status < 300 ? 'text-good' : 'text-bad'}>
                It was answered {answer.status}. {answer.detail}{' '}
                {answer.eventId && (
                  <Link
                    to="/events/$event"
                    params={{ event: answer.eventId }}
                    className="font-medium text-accent hover:underline"
                  >
                    Its event
                  </Link>
                )}
              </p>
            )}
            <Problem text={send.problem} />
            <FormEnd onCancel={() => setOpen(false)} busy={send.busy} submit="Send it" />
          </form>
        </Dialog>
      )}
    </>
  )
}
