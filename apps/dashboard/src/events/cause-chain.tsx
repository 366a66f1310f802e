import type { EventDetail } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { plural, shortId } from '../elements/format.ts'
import { Section } from '../elements/page.tsx'
import { StatusMark } from '../elements/status-mark.tsx'

/** What made this event, the event, and what it started, from left to right. */
export function CauseChain({ event }: { event: EventDetail }) {
  const { cause } = event
  if (cause === null) return null
  return (
    <Section title="How it came about">
      <ol aria-label="Chain of causes" className="flex flex-wrap items-stretch gap-y-2 text-[13px]">
        {cause.hops > 1 && <Step arrow>{plural(cause.hops - 1, 'step')} before</Step>}
        <Step arrow>
          <CauseLink id={cause.id} />
        </Step>
        <Step arrow={event.runs.length > 0} here>
          this event
        </Step>
        {event.runs.slice(-1).map((run) => (
          <Step key={run.id}>
            <Link
              to="/runs/$runId"
              params={{ runId: run.id }}
              className="font-medium text-accent hover:underline"
            >
              its run
            </Link>{' '}
            <StatusMark word={run.status} />
          </Step>
        ))}
      </ol>
    </Section>
  )
}

function Step({
  children,
  arrow = false,
  here = false,
}: {
  children: ReactNode
  arrow?: boolean
  here?: boolean
}) {
  return (
    <li className="flex items-center">
      <span
        aria-current={here ? 'step' : undefined}
        className={`rounded-lg border px-3 py-1.5 ${here ? 'border-accent bg-accent-soft font-medium text-accent' : 'border-line bg-card'}`}
      >
        {children}
      </span>
      {arrow && (
        <span aria-hidden className="px-2 text-soft">
          →
        </span>
      )}
    </li>
  )
}

function CauseLink({ id }: { id: string }) {
  const look = 'font-medium text-accent hover:underline'
  if (id.startsWith('run_'))
    return (
      <Link to="/runs/$runId" params={{ runId: id }} className={look}>
        run {shortId(id)}
      </Link>
    )
  if (id.startsWith('evt_'))
    return (
      <Link to="/events/$event" params={{ event: id }} className={look}>
        replay of event {shortId(id)}
      </Link>
    )
  return <code className="font-mono">{shortId(id)}</code>
}
