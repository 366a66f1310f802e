import { queryOptions } from '@tanstack/react-query'
import type { Client } from '../api/client.ts'
import type { QueryMeta } from '../api/queries.ts'

export const agentQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['agent', id],
    queryFn: ({ signal }) => client.agents.get.query({ id }, { signal }),
    meta: { changedBy: ['agent', 'machine', 'delivery'] } satisfies QueryMeta,
  })

export const secretsQuery = (client: Client, agent: string) =>
  queryOptions({
    queryKey: ['secrets', agent],
    queryFn: ({ signal }) => client.secrets.list.query({ agent }, { signal }),
    meta: { changedBy: ['agent'] } satisfies QueryMeta,
  })

export const skillsQuery = (client: Client, agent: string) =>
  queryOptions({
    queryKey: ['skills', agent],
    queryFn: ({ signal }) => client.skills.list.query({ agent }, { signal }),
    meta: { changedBy: ['agent'] } satisfies QueryMeta,
  })

export const conversationsQuery = (client: Client, agent: string) =>
  queryOptions({
    queryKey: ['conversations', agent],
    queryFn: ({ signal }) => client.sessions.list.query({ agent }, { signal }),
    meta: { changedBy: ['agent', 'run'] } satisfies QueryMeta,
  })
