import { queryOptions } from '@tanstack/react-query'
import type { Client } from '../api/client.ts'
import type { QueryMeta } from '../api/queries.ts'

const changedBy: QueryMeta = { changedBy: ['job', 'run', 'delivery'] }

export type ScheduleInput = Parameters<Client['jobs']['nextFires']['query']>[0]['schedule']

export const jobQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['job', id],
    queryFn: ({ signal }) => client.jobs.get.query({ id }, { signal }),
    meta: changedBy,
  })

/** When a stored or a typed schedule fires next. */
export const nextFiresQuery = (client: Client, schedule: ScheduleInput, count: number, zone: string) =>
  queryOptions({
    queryKey: ['next-fires', schedule, count, zone],
    queryFn: ({ signal }) => client.jobs.nextFires.query({ schedule, count, zone }, { signal }),
    staleTime: 30_000,
    refetchInterval: 60_000,
    retry: false,
  })

export type RehearsalInput = Parameters<Client['jobs']['rehearse']['query']>[0]

export const rehearsalQuery = (client: Client, input: RehearsalInput) =>
  queryOptions({
    queryKey: ['rehearsal', input],
    queryFn: ({ signal }) => client.jobs.rehearse.query(input, { signal }),
    meta: { changedBy: ['job'] } satisfies QueryMeta,
    retry: false,
  })

export type DraftRehearsalInput = Parameters<Client['jobs']['rehearseDraft']['query']>[0]

export const draftRehearsalQuery = (client: Client, input: DraftRehearsalInput) =>
  queryOptions({
    queryKey: ['draft-rehearsal', input],
    queryFn: ({ signal }) => client.jobs.rehearseDraft.query(input, { signal }),
    retry: false,
  })

export const simulationQuery = (client: Client, id: string, days: number) =>
  queryOptions({
    queryKey: ['simulation', id, days],
    queryFn: ({ signal }) => client.jobs.simulate.query({ id, days }, { signal }),
    meta: { changedBy: ['job'] } satisfies QueryMeta,
  })

export const refusedQuery = (client: Client, jobId: string) =>
  queryOptions({
    queryKey: ['refused', jobId],
    queryFn: ({ signal }) => client.events.refused.query({ jobId }, { signal }),
    refetchInterval: 10_000,
  })

/** The newest events of a job, to try things on. */
export const jobEventsQuery = (client: Client, jobId: string) =>
  queryOptions({
    queryKey: ['job-events', jobId],
    queryFn: ({ signal }) => client.events.list.query({ jobId, limit: 20 }, { signal }),
    meta: { changedBy: ['event'] } satisfies QueryMeta,
  })
