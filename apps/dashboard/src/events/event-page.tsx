import type { EventDetail } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useApi } from '../api/api-context.ts'
import { CardPart, Fact, Facts } from '../elements/facts.tsx'
import { formatInstant, formatMoment } from '../elements/format.ts'
import { Page, Section } from '../elements/page.tsx'
import { RowPage } from '../elements/row-page.tsx'
import { StatusMark } from '../elements/status-mark.tsx'
import { Duration } from '../elements/time.tsx'
import { SCHEME_WORDS } from '../jobs/trigger-words.ts'
import { DispatchList } from '../outputs/dispatch-list.tsx'
import { WhyPanel } from '../runs/why-panel.tsx'
import { CauseChain } from './cause-chain.tsx'
import { EventActions } from './event-actions.tsx'
import { EventBody } from './event-body.tsx'
import { eventQuery } from './event-queries.ts'
import { outcomeOf, titleOfEvent } from './outcome-of.ts'

const route = getRouteApi('/events/$event')

/** One event as it came, why it did what it did, and everything that came of it. */
export function EventPage() {
  const { event } = route.useParams()
  const { client } = useApi()
  const answer = useQuery(eventQuery(client, event))
  return (
    <RowPage kind="event" named={event} answer={answer}>
      {(row) => <EventBodyOfPage key={row.id} event={row} />}
    </RowPage>
  )
}

function EventBodyOfPage({ event }: { event: EventDetail }) {
  const headers = Object.entries(event.headers)
  return (
    <Page
      title={titleOfEvent(event)}
      back={{ to: '/events', name: 'Events' }}
      lead={
        <>
          {formatMoment(event.receivedAt)} · {outcomeOf(event)}
        </>
      }
      actions={<EventActions event={event} />}
    >
      {event.state === 'ignored' && (
        <div className="mb-5">
          <WhyPanel id={event.id} label="Why it started nothing" />
        </div>
      )}
      <div className="grid gap-x-8 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="min-w-0">
          <CauseChain event={event} />
          {event.state !== 'ignored' && (
            <Section title="What came of it">
              <Runs event={event} />
            </Section>
          )}
          {event.dispatches.length > 0 && (
            <Section title="What was sent">
              <DispatchList dispatches={event.dispatches} label="Dispatches of this event" />
            </Section>
          )}
          <EventBody event={event} />
          {headers.length > 0 && (
            <Section title="Headers">
              <dl className="card space-y-0.5 p-4 font-mono text-[12.5px]">
                {headers.map(([name, value]) => (
                  <div key={name} className="break-all">
                    <dt className="inline text-soft">{name}: </dt>
                    <dd className={`inline ${value === '[redacted]' ? 'text-soft italic' : ''}`}>{value}</dd>
                  </div>
                ))}
              </dl>
            </Section>
          )}
        </div>
        <EventFacts event={event} />
      </div>
    </Page>
  )
}

function Runs({ event }: { event: EventDetail }) {
  if (event.runs.length === 0) {
    return (
      <p className="card border-dashed px-4 py-3">
        {event.reasonMessage ?? `It ${outcomeOf(event)}.`}
        {event.deliveries.length > 0 && ' No machine has taken it yet: '}
        {event.deliveries.map(({ id, runId }) => (
          <Link
            key={id}
            to="/runs/$runId"
            params={{ runId }}
            className="font-medium text-accent hover:underline"
          >
            its run
          </Link>
        ))}
      </p>
    )
  }
  return (
    <ul aria-label="Runs of this event" className="card divide-y divide-line">
      {event.runs.map((run) => (
        <li key={run.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 py-2.5">
          <Link
            to="/runs/$runId"
            params={{ runId: run.id }}
            data-row
            className="font-medium text-accent hover:underline"
          >
            Run{event.runs.length > 1 && `, attempt ${run.attempt}`}
          </Link>
          <span className="text-[13px] text-soft tabular-nums">
            {run.startedAt === null ? (
              'not started'
            ) : (
              <>
                started {formatInstant(run.startedAt)}, for{' '}
                <Duration from={run.startedAt} to={run.finishedAt} />
              </>
            )}
          </span>
          <StatusMark word={run.status} />
        </li>
      ))}
    </ul>
  )
}

function EventFacts({ event }: { event: EventDetail }) {
  const { verification } = event
  return (
    <div className="card h-fit divide-y divide-line">
      <CardPart title="Where it came from">
        <Facts>
          <Fact name="Source">{event.source.replaceAll('_', ' ')}</Fact>
          {event.job && (
            <Fact name="Job">
              <Link
                to="/jobs/$job"
                params={{ job: event.job.id }}
                className="font-medium text-accent hover:underline"
              >
                {event.job.key}
              </Link>
            </Fact>
          )}
          {event.trigger && <Fact name="Trigger">{event.trigger.kind.replaceAll('_', ' ')}</Fact>}
          <Fact name="Content">{event.contentType ?? 'not said'}</Fact>
        </Facts>
      </CardPart>
      {verification && (
        <CardPart title="The sender">
          <p className={`text-[13px] ${verification.scheme === 'none' ? 'text-warn' : 'text-good'}`}>
            {verification.scheme === 'none' ? '▲ not proven' : '✓ proven'}{' '}
            <span className="text-soft">
              {SCHEME_WORDS[verification.scheme]}
              {verification.signedAt !== null && `, signed at ${formatMoment(verification.signedAt)}`}
              {verification.scheme !== 'none' &&
                (verification.signedId
                  ? '; its id is signed with it'
                  : '; its id is not signed, so repeats are told apart by the body')}
            </span>
          </p>
        </CardPart>
      )}
      <CardPart title="Ids">
        <Facts>
          <Fact name="Event">
            <code className="font-mono text-xs">{event.id}</code>
          </Fact>
          <Fact name="Repeats">
            <code className="font-mono text-xs">{event.deliveryKey}</code>
            <span className="block text-soft">the same again changes nothing</span>
          </Fact>
        </Facts>
      </CardPart>
    </div>
  )
}
