import { queryOptions } from '@tanstack/react-query'
import type { Client } from '../api/client.ts'
import type { QueryMeta } from '../api/queries.ts'

const changedBy: QueryMeta = { changedBy: ['event', 'job'] }
/** What GitHub is asked for is not asked at every change here. */
const FRESH_MS = 60_000

export const githubAppsQuery = (client: Client) =>
  queryOptions({
    queryKey: ['github'],
    queryFn: ({ signal }) => client.integrations.github.list.query(undefined, { signal }),
    meta: changedBy,
  })

export const githubSetupQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['github', 'setup', id],
    queryFn: ({ signal }) => client.integrations.github.setup.query({ id }, { signal }),
    refetchInterval: (query) => (query.state.data?.app ? false : 2_000),
  })

export const githubDoctorQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['github', 'doctor', id],
    queryFn: ({ signal }) => client.integrations.github.doctor.query({ id }, { signal }),
    staleTime: FRESH_MS,
    retry: false,
  })

export const githubInstallationsQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['github', 'installations', id],
    queryFn: ({ signal }) => client.integrations.github.installations.query({ id }, { signal }),
    staleTime: FRESH_MS,
    retry: false,
  })

export const githubRepositoriesQuery = (client: Client, id: string, installationId: number) =>
  queryOptions({
    queryKey: ['github', 'repositories', id, installationId],
    queryFn: ({ signal }) =>
      client.integrations.github.repositories.query({ id, installationId }, { signal }),
    staleTime: FRESH_MS,
    retry: false,
  })
