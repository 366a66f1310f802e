import { queryOptions, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useApi } from '../api/api-context.ts'
import type { Client } from '../api/client.ts'
import type { QueryMeta } from '../api/queries.ts'
import { Loaded, Section } from '../elements/page.tsx'
import { RunList } from './run-list.tsx'

type Filter = { job: string } | { agent: string }

const lastRunsQuery = (client: Client, filter: Filter) =>
  queryOptions({
    queryKey: ['last-runs', filter],
    queryFn: ({ signal }) =>
      client.runs.list.query(
        { limit: 10, ...('job' in filter ? { jobId: filter.job } : { agentId: filter.agent }) },
        { signal },
      ),
    meta: { changedBy: ['run', 'delivery'] } satisfies QueryMeta,
  })

/** The newest runs of one job or agent. */
export function LastRuns({ filter }: { filter: Filter }) {
  const { client } = useApi()
  const runs = useQuery(lastRunsQuery(client, filter))
  return (
    <Section
      title="Last runs"
      aside={
        <Link
          to="/runs"
          search={filter}
          className="rounded px-1 py-1 text-[13px] font-medium text-accent hover:underline"
        >
          All its runs
        </Link>
      }
    >
      <Loaded answer={runs} of="its runs">
        {({ items }) =>
          items.length === 0 ? (
            <p className="card border-dashed px-4 py-3 text-soft">It never ran.</p>
          ) : (
            <RunList runs={items} label="Last runs" />
          )
        }
      </Loaded>
    </Section>
  )
}
