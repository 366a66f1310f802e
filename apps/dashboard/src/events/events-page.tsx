import type { EventView } from '@baton/protocol'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useApi } from '../api/api-context.ts'
import { Button } from '../elements/button.tsx'
import { formatBytes } from '../elements/format.ts'
import { Empty, Loaded, Page } from '../elements/page.tsx'
import { Ago } from '../elements/time.tsx'
import { useRowKeys } from '../shell/use-row-keys.ts'
import { EventFilter } from './event-filter.tsx'
import { eventsQuery } from './event-queries.ts'
import { outcomeOf, titleOfEvent } from './outcome-of.ts'
import { SourceIcon } from './source-icon.tsx'

const route = getRouteApi('/events')

/** Everything that arrived and what came of it, newest first; the filter stands in the address. */
export function EventsPage() {
  useRowKeys()
  const { client, origin } = useApi()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const events = useInfiniteQuery(eventsQuery(client, search))
  const filtered = Object.keys(search).length > 0
  return (
    <Page title="Events" lead="Everything that arrived, and what came of it.">
      <EventFilter search={search} onChange={(next) => void navigate({ search: next, replace: true })} />
      <Loaded answer={events} of="the events">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items)
          const more = events.hasNextPage && (
            <div className="mt-4 text-center">
              <Button disabled={events.isFetchingNextPage} onClick={() => void events.fetchNextPage()}>
                {events.isFetchingNextPage ? 'Loading…' : 'Show older events'}
              </Button>
            </div>
          )
          if (items.length === 0) {
            return (
              <>
                {filtered ? (
                  <Empty
                    title={
                      more ? 'None of the newest events fits this filter.' : 'No event fits this filter.'
                    }
                  />
                ) : (
                  <NoEvents origin={origin} />
                )}
                {more}
              </>
            )
          }
          return (
            <>
              <ul aria-label="Events" className="card divide-y divide-line overflow-hidden">
                {items.map((event) => (
                  <li key={event.id}>
                    <EventRow event={event} />
                  </li>
                ))}
              </ul>
              {more}
            </>
          )
        }}
      </Loaded>
    </Page>
  )
}

function EventRow({ event }: { event: EventView }) {
  const outcome = outcomeOf(event)
  return (
    <Link
      to="/events/$event"
      params={{ event: event.id }}
      data-row
      className="grid grid-cols-[1.25rem_minmax(0,1fr)_auto] gap-x-3 px-4 py-2.5 -outline-offset-2 hover:bg-hover"
    >
      <span className="row-span-2 pt-0.5">
        <SourceIcon source={event.source} />
      </span>
      <p className="truncate font-medium">{titleOfEvent(event)}</p>
      <p className="text-right text-[13px] text-soft">
        <Ago at={event.receivedAt} />
      </p>
      <p
        className={`line-clamp-2 text-[13px] ${event.state === 'ignored' ? 'text-warn' : 'text-soft'}`}
        title={event.reasonMessage ?? undefined}
      >
        {event.reasonMessage ?? outcome}
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
        <Link to="/jobs/new" className="font-medium text-accent underline">
          job
        </Link>{' '}
        with a webhook: it gets an address under <code className="font-mono break-all">{origin}/hooks/</code>,
        a secret, and a signed line to send the first one.
      </p>
    </Empty>
  )
}
