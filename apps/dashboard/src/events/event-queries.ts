import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Client } from '../api/client.ts'
import type { QueryMeta } from '../api/queries.ts'
import type { EventsSearch } from './events-search.ts'

const DAY_MS = 86_400_000

export const eventsQuery = (client: Client, { job, state, reason, source, text, days }: EventsSearch) =>
  infiniteQueryOptions({
    queryKey: ['events', { job, state, reason, source, text, days }],
    queryFn: ({ signal, pageParam }) =>
      client.events.list.query(
        {
          limit: 50,
          cursor: pageParam,
          ...(job && { jobId: job }),
          ...(state && { state }),
          ...(reason && { reason }),
          ...(source && { source: [source] }),
          ...(text && text.length > 1 && { text }),
          ...(days && { since: Date.now() - days * DAY_MS }),
        },
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    meta: { changedBy: ['event', 'delivery'] } satisfies QueryMeta,
  })

export const eventQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['event', id],
    queryFn: ({ signal }) => client.events.get.query({ id }, { signal }),
    meta: { changedBy: ['event', 'delivery', 'run'] } satisfies QueryMeta,
  })
