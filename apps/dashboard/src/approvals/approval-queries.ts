import type { Change } from '@baton/protocol'
import { queryOptions } from '@tanstack/react-query'
import type { Client } from '../api/client.ts'

const changedBy = (...kinds: Change['kind'][]) => ({ changedBy: kinds })

/** Everything that waits for an answer, oldest first. */
export const openApprovalsQuery = (client: Client) =>
  queryOptions({
    queryKey: ['approvals', 'open'],
    queryFn: async ({ signal }) => {
      const { items } = await client.approvals.list.query({ state: 'open', limit: 200 }, { signal })
      return items.toReversed()
    },
    meta: changedBy('approval'),
  })

/** Everything that one run asked, oldest first. */
export const runApprovalsQuery = (client: Client, runId: string) =>
  queryOptions({
    queryKey: ['approvals', runId],
    queryFn: async ({ signal }) => {
      const { items } = await client.approvals.list.query({ runId, limit: 200 }, { signal })
      return items.toReversed()
    },
    meta: changedBy('approval'),
  })

export const controlsQuery = (client: Client, runId: string) =>
  queryOptions({
    queryKey: ['controls', runId],
    queryFn: ({ signal }) => client.runs.controls.query({ id: runId }, { signal }),
    meta: changedBy('run', 'approval'),
  })
