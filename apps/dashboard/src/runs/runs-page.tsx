import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useApi } from '../api/api-context.ts'
import { runsQuery } from '../api/queries.ts'
import { Button } from '../elements/button.tsx'
import { batonCommand } from '../elements/command-line.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { Empty, Loaded, Page } from '../elements/page.tsx'
import { useRowKeys } from '../shell/use-row-keys.ts'
import { RunFilter } from './run-filter.tsx'
import { RunDays } from './run-list.tsx'
import { RunTimeline } from './run-timeline.tsx'
import { readRunsSearch, statusesOf } from './runs-search.ts'
import { StartRun } from './start-run.tsx'

const route = getRouteApi('/runs')

/** All runs, newest first; the filter stands in the address. */
export function RunsPage() {
  useRowKeys()
  const { client } = useApi()
  const navigate = route.useNavigate()
  // What the route does not know passes its reader by.
  const search = readRunsSearch(route.useSearch())
  const runs = useInfiniteQuery(
    runsQuery(client, {
      ...(search.status && { status: statusesOf(search.status) }),
      ...(search.machine && { machineId: search.machine }),
      ...(search.job && { jobId: search.job }),
      ...(search.agent && { agentId: search.agent }),
    }),
  )
  const filtered = Object.keys(search).length > 0
  return (
    <Page title="Runs" lead="Everything that agents did, newest first." actions={<StartRun />}>
      <RunFilter search={search} onChange={(next) => void navigate({ search: next })} />
      <Loaded answer={runs} of="the runs">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items)
          const more = runs.hasNextPage && (
            <div className="mt-4 text-center">
              <Button disabled={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
                {runs.isFetchingNextPage ? 'Loading…' : 'Show older runs'}
              </Button>
            </div>
          )
          if (items.length === 0)
            return (
              <>
                <NoRuns
                  filtered={filtered}
                  more={Boolean(more)}
                  onAll={() => void navigate({ search: {} })}
                />
                {more}
              </>
            )
          return (
            <>
              <div className="mb-4 max-sm:hidden">
                <RunTimeline runs={items} by="machine" />
              </div>
              <RunDays runs={items} label="Runs" />
              {more}
            </>
          )
        }}
      </Loaded>
    </Page>
  )
}

type NoRunsProps = { filtered: boolean; more: boolean; onAll: () => void }

function NoRuns({ filtered, more, onAll }: NoRunsProps) {
  const { origin } = useApi()
  if (filtered)
    return (
      <Empty title={more ? 'None of the newest runs fits this filter.' : 'No run fits this filter.'}>
        <Button onClick={onAll}>Show all runs</Button>
      </Empty>
    )
  return (
    <Empty title="No agent has run yet.">
      <p className="text-soft">Start one here, or from a computer that is signed in to this relay:</p>
      <CopyLine text={batonCommand(origin, 'run "Explain this repository in five bullets"')} />
    </Empty>
  )
}
