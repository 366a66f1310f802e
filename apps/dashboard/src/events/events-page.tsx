import type { EventView } from '@baton/protocol'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useApi } from '../api/api-context.ts'
import { eventsQuery } from '../api/queries.ts'
import { Button } from '../elements/button.tsx'
import { formatBytes } from '../elements/format.ts'
import { Empty, Loaded, Page } from '../elements/page.tsx'
import { Ago } from '../elements/time.tsx'
import { useRowKeys } from '../shell/use-row-keys.ts'
import { EventPanel } from './event-panel.tsx'
import { outcomeOf, titleOfEvent } from './outcome-of.ts'

const route = getRouteApi('/events')

/** Everything that arrived and what came of it, newest first. */
export function EventsPage() {
  useRowKeys()
  const { client, origin } = useApi()
  const { event: openId, job } = route.useSearch()
  const navigate = route.useNavigate()
  const events = useInfiniteQuery(eventsQuery(client, job))
  return (
    <Page title="Events" lead="Everything that arrived, and what came of it.">
      <Loaded answer={events} of="the events">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items)
          if (items.length === 0) return <NoEvents origin={origin} />
          return (
            <>
              <ul aria-label="Events" className="card divide-y divide-line overflow-hidden">
                {items.map((event) => (
                  <li key={event.id}>
                    <EventRow event={event} job={job} />
                  </li>
                ))}
              </ul>
              {events.hasNextPage && (
                <div className="mt-4 text-center">
                  <Button disabled={events.isFetchingNextPage} onClick={() => void events.fetchNextPage()}>
                    {events.isFetchingNextPage ? 'Loading…' : 'Show older events'}
                  </Button>
                </div>
              )}
            </>
          )
        }}
      </Loaded>
      {openId && <EventPanel id={openId} onClose={() => void navigate({ search: job ? { job } : {} })} />}
    </Page>
  )
}

function EventRow({ event, job }: { event: EventView; job: string | undefined }) {
  const outcome = outcomeOf(event)
  return (
    <Link
      to="/events"
      search={{ event: event.id, ...(job && { job }) }}
      data-row
      className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 px-4 py-2.5 -outline-offset-2 hover:bg-hover"
    >
      <p className="truncate font-medium">{titleOfEvent(event)}</p>
      <p className="text-right text-[13px] text-soft">
        <Ago at={event.receivedAt} />
      </p>
      <p className={`truncate text-[13px] ${event.state === 'ignored' ? 'text-warn' : 'text-soft'}`}>
        {outcome}
      </p>
      <p className="text-right text-[13px] text-soft">{formatBytes(event.bodyBytes)}</p>
    </Link>
  )
}

function NoEvents({ origin }: { origin: string }) {
  return (
    <Empty title="Nothing has arrived yet.">
      <p className="text-soft">
        Every webhook, and every run that somebody starts, is kept here before anything is done with it. Make
        a{' '}
        <Link to="/jobs" className="font-medium text-accent underline">
          job
        </Link>{' '}
        with a webhook: it gets an address under <code className="font-mono break-all">{origin}/hooks/</code>,
        a secret, and a signed line to send the first one.
      </p>
    </Empty>
  )
}
