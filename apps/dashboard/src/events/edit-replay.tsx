import type { EventDetail } from '@baton/protocol'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { randomKey } from '../api/random-key.ts'
import { useAction } from '../api/use-action.ts'
import { Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'

type Changed = { body: string; headers: Record<string, string> }

/** Sends a changed copy of an event to its job. The event itself stays as it came. */
export function EditReplay({ event, onClose }: { event: EventDetail; onClose: () => void }) {
  const navigate = useNavigate()
  const [idempotencyKey] = useState(randomKey)
  const [body, setBody] = useState(event.body)
  const [headers, setHeaders] = useState(() =>
    Object.entries(event.headers)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
  )
  const read = readHeaders(headers)
  const json = event.contentType?.includes('json') ? jsonProblem(body) : null
  const replay = useAction('replaying the changed event', (api, input: Changed) =>
    api.events.replay.mutate({ id: event.id, idempotencyKey, ...input }),
  )
  return (
    <Dialog title="Edit and replay" onClose={onClose} wide>
      <form
        className="space-y-4"
        onSubmit={(submitted) => {
          submitted.preventDefault()
          if (read.problem !== null) return
          replay.start({ body, headers: read.headers }, ({ eventId }) => {
            onClose()
            void navigate({ to: '/events/$event', params: { event: eventId } })
          })
        }}
      >
        <p className="text-soft">
          It becomes an event of its own for {event.job?.key}, as the job is now. Filters are not asked: you
          want it.
        </p>
        <Field label="Body" problem={json} hint={json ? 'It can be sent all the same.' : undefined}>
          <textarea
            className="field min-h-48 font-mono text-[12.5px]"
            data-focus
            spellCheck={false}
            value={body}
            onChange={(typed) => setBody(typed.target.value)}
          />
        </Field>
        <Field label="Headers" problem={read.problem}>
          <textarea
            className="field min-h-24 font-mono text-[12.5px]"
            spellCheck={false}
            value={headers}
            onChange={(typed) => setHeaders(typed.target.value)}
          />
        </Field>
        <Problem text={replay.problem} />
        <FormEnd onCancel={onClose} busy={replay.busy} blocked={read.problem !== null} submit="Replay it" />
      </form>
    </Dialog>
  )
}

function readHeaders(text: string): { headers: Record<string, string>; problem: string | null } {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const wrong = lines.find((line) => !/^[A-Za-z0-9-]+:/.test(line))
  const entries = lines.map((line) => {
    const at = line.indexOf(':')
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()]
  })
  return {
    headers: Object.fromEntries(entries),
    problem: wrong === undefined ? null : `“${wrong}” is no header: write name: value.`,
  }
}

function jsonProblem(text: string): string | null {
  try {
    JSON.parse(text)
    return null
  } catch (error) {
    return `This is no JSON: ${(error as Error).message}`
  }
}
