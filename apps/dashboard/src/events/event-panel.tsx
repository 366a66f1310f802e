import type { EventDetail } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { RotateCcw } from 'lucide-react'
import { useApi } from '../api/api-context.ts'
import { eventQuery } from '../api/queries.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { CopyButton } from '../elements/copy-button.tsx'
import { Dialog, Problem } from '../elements/dialog.tsx'
import { formatBytes, formatMoment } from '../elements/format.ts'
import { Loaded } from '../elements/page.tsx'
import { outcomeOf, titleOfEvent } from './outcome-of.ts'

/** More of a body than this is not put on the page. */
const SHOWN_CHARS = 200_000

/** One event as it came: headers, body, what it started; and the button that sends it through again. */
export function EventPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const { client } = useApi()
  const event = useQuery(eventQuery(client, id))
  return (
    <Dialog title="Event" onClose={onClose} wide>
      <Loaded answer={event} of="the event">
        {(detail) => <Detail event={detail} />}
      </Loaded>
    </Dialog>
  )
}

function Detail({ event }: { event: EventDetail }) {
  const headers = Object.entries(event.headers)
  const body = readable(event)
  return (
    <div className="space-y-5">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div>
          <p className="font-medium">
            {titleOfEvent(event)} · {outcomeOf(event)}
          </p>
          <p className="text-[13px] text-soft">{formatMoment(event.receivedAt)}</p>
        </div>
        <Replay event={event} />
      </div>
      {event.deliveries.length > 0 && (
        <ul className="space-y-1">
          {event.deliveries.map((delivery) => (
            <li key={delivery.id}>
              <Link
                to="/runs/$runId"
                params={{ runId: delivery.runId }}
                className="font-medium text-accent hover:underline"
              >
                The run it started
              </Link>{' '}
              <span className="text-soft">{delivery.state}</span>
            </li>
          ))}
        </ul>
      )}
      <section>
        <div className="mb-1 flex items-center justify-between gap-2">
          <h3 className="font-medium">
            Body <span className="font-normal text-soft">{formatBytes(event.bodyBytes)}</span>
          </h3>
          <CopyButton text={event.body} bare />
        </div>
        <pre className="max-h-96 overflow-auto rounded-lg bg-sunk p-3 font-mono text-[12.5px] whitespace-pre">
          {event.bodyBytes === 0 ? 'empty' : body}
        </pre>
      </section>
      {headers.length > 0 && (
        <section>
          <h3 className="mb-1 font-medium">Headers</h3>
          <dl className="space-y-0.5 rounded-lg bg-sunk p-3 font-mono text-[12.5px]">
            {headers.map(([name, value]) => (
              <div key={name} className="break-all">
                <dt className="inline text-soft">{name}: </dt>
                <dd className="inline">{value}</dd>
              </div>
            ))}
          </dl>
        </section>
      )}
      <p className="text-[13px] [overflow-wrap:anywhere] text-soft">
        Deduplication key <code className="font-mono">{event.deliveryKey}</code>: the same again changes
        nothing.
      </p>
    </div>
  )
}

function Replay({ event }: { event: EventDetail }) {
  const navigate = useNavigate()
  const replay = useAction('replaying the event', (api, id: EventDetail['id']) =>
    api.events.replay.mutate({ id }),
  )
  return (
    <div className="space-y-2">
      <Button
        small
        icon={<RotateCcw size={14} aria-hidden />}
        disabled={replay.busy}
        onClick={() =>
          replay.start(event.id, ({ deliveries }) => {
            const runId = deliveries[0]?.runId
            if (runId) void navigate({ to: '/runs/$runId', params: { runId } })
          })
        }
      >
        Replay
      </Button>
      <Problem text={replay.problem} />
    </div>
  )
}

function readable({ body, bodyEncoding, contentType }: EventDetail): string {
  if (bodyEncoding === 'base64') return `${body.slice(0, SHOWN_CHARS)}\n\n(bytes that are no text, as base64)`
  const cut = body.length > SHOWN_CHARS ? '\n\n(only the beginning is shown; copy has all of it)' : ''
  return (contentType?.includes('json') ? indented(body) : body).slice(0, SHOWN_CHARS) + cut
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
