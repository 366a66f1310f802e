import type { UsageGroup } from '@baton/protocol'
import { queryOptions } from '@tanstack/react-query'
import type { Client } from '../api/client.ts'
import type { QueryMeta } from '../api/queries.ts'

export type UsageFilter = { job?: string; agent?: string }

/** What was used on the last `days` days of UTC, today included. */
export const usageQuery = (client: Client, by: UsageGroup, days: number, filter: UsageFilter = {}) =>
  queryOptions({
    queryKey: ['usage', by, days, filter],
    queryFn: ({ signal }) => client.usage.sum.query({ by, ...spanOf(days), ...filter }, { signal }),
    meta: { changedBy: ['run'] } satisfies QueryMeta,
    staleTime: 15_000,
  })

const DAY_MS = 86_400_000
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)

function spanOf(days: number) {
  const now = Date.now()
  return { since: dayOf(now - (days - 1) * DAY_MS), until: dayOf(now) }
}

/** Every day from the first to the last, both counted: days without work are not in the relay's answer. */
export function daysBetween(since: string, until: string): string[] {
  const days: string[] = []
  for (let at = Date.parse(since); at <= Date.parse(until); at += DAY_MS) days.push(dayOf(at))
  return days
}
