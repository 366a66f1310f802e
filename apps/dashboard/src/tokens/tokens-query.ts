import { queryOptions } from '@tanstack/react-query'
import type { Client } from '../api/client.ts'
import type { QueryMeta } from '../api/queries.ts'

/** Read again after every change that is made here; nothing else changes tokens. */
const changedHere: QueryMeta = { changedBy: [] }

export const tokensQuery = (client: Client) =>
  queryOptions({
    queryKey: ['tokens'],
    queryFn: ({ signal }) => client.tokens.list.query(undefined, { signal }),
    meta: changedHere,
  })
