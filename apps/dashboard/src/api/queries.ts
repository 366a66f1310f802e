import type { Change, StatusWord } from '@baton/protocol'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Client } from './client.ts'

/**
 * Every question the pages ask, each with the kinds of change that make its answer old. `live-changes.ts` reads `meta`
 * to ask again.
 */
export type QueryMeta = { changedBy: readonly Change['kind'][] }

export type RunFilter = { status?: StatusWord[]; jobId?: string; machineId?: string; agentId?: string }

const changedBy = (...kinds: Change['kind'][]): QueryMeta => ({ changedBy: kinds })
const PAGE = 50

export const meQuery = (client: Client) =>
  queryOptions({
    queryKey: ['me'],
    queryFn: ({ signal }) => client.auth.me.query(undefined, { signal }),
    staleTime: 60_000,
  })

export const overviewQuery = (client: Client) =>
  queryOptions({
    queryKey: ['overview'],
    queryFn: ({ signal }) => client.overview.get.query(undefined, { signal }),
    meta: changedBy('run', 'delivery', 'machine', 'agent', 'job', 'approval'),
  })

export const runsQuery = (client: Client, filter: RunFilter) =>
  infiniteQueryOptions({
    queryKey: ['runs', filter],
    queryFn: ({ signal, pageParam }) =>
      client.runs.list.query({ ...filter, limit: PAGE, cursor: pageParam }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    meta: changedBy('run', 'delivery'),
  })

export const runQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['run', id],
    queryFn: ({ signal }) => client.runs.get.query({ id }, { signal }),
    meta: changedBy('run', 'delivery', 'machine', 'approval'),
  })

/** Never changes once the run has ended. */
export const changesQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['changes', id],
    queryFn: ({ signal }) => client.runs.changes.query({ id }, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })

export const whyQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['why', id],
    queryFn: ({ signal }) => client.why.explain.query({ id }, { signal }),
    meta: changedBy('run', 'delivery', 'machine', 'agent'),
  })

export const jobsQuery = (client: Client) =>
  queryOptions({
    queryKey: ['jobs'],
    queryFn: ({ signal }) => client.jobs.list.query(undefined, { signal }),
    meta: changedBy('job', 'run', 'delivery'),
  })

export const outputsQuery = (client: Client, jobId: string) =>
  queryOptions({
    queryKey: ['outputs', jobId],
    queryFn: ({ signal }) => client.outputs.list.query({ job: jobId }, { signal }),
    meta: changedBy('job', 'run'),
  })

export const dispatchesQuery = (client: Client, jobId: string) =>
  queryOptions({
    queryKey: ['dispatches', jobId],
    queryFn: ({ signal }) => client.dispatches.list.query({ job: jobId, limit: 10 }, { signal }),
    meta: changedBy('run', 'delivery'),
  })

export const dispatchQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['dispatch', id],
    queryFn: ({ signal }) => client.dispatches.get.query({ id }, { signal }),
    meta: changedBy('run'),
  })

export const machinesQuery = (client: Client) =>
  queryOptions({
    queryKey: ['machines'],
    queryFn: ({ signal }) => client.machines.list.query(undefined, { signal }),
    meta: changedBy('machine', 'delivery', 'run'),
  })

export const agentsQuery = (client: Client) =>
  queryOptions({
    queryKey: ['agents'],
    queryFn: ({ signal }) => client.agents.list.query(undefined, { signal }),
    meta: changedBy('agent', 'machine', 'delivery'),
  })
