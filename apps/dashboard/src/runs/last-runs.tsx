import { queryOptions, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useApi } from '../api/api-context.ts'
import type { Client } from '../api/client.ts'
import type { QueryMeta } from '../api/queries.ts'
import { Loaded, Section } from '../elements/page.tsx'
import { RunList } from './run-list.tsx'
import { RunTimeline } from './run-timeline.tsx'

type Filter = { job: string } | { agent: string } | { machine: string }

/** How many are drawn, and how many of them stand in the list: the rest is one click away. */
const DRAWN = 30
const LISTED = 6

const lastRunsQuery = (client: Client, filter: Filter) =>
  queryOptions({
    queryKey: ['last-runs', filter],
    queryFn: ({ signal }) =>
      client.runs.list.query(
        {
          limit: DRAWN,
          ...('job' in filter && { jobId: filter.job }),
          ...('agent' in filter && { agentId: filter.agent }),
          ...('machine' in filter && { machineId: filter.machine }),
        },
        { signal },
      ),
    meta: { changedBy: ['run', 'delivery'] } satisfies QueryMeta,
  })

/** The newest runs of one job, agent or machine, drawn over time and as a list. */
export function LastRuns({ filter }: { filter: Filter }) {
  const { client } = useApi()
  const runs = useQuery(lastRunsQuery(client, filter))
  const within = 'job' in filter ? 'job' : 'agent' in filter ? 'agent' : 'machine'
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
            <div className="space-y-3">
              <RunTimeline runs={items} by={within === 'machine' ? 'agent' : 'machine'} />
              <RunList runs={items.slice(0, LISTED)} label="Last runs" within={within} />
            </div>
          )
        }
      </Loaded>
    </Section>
  )
}
