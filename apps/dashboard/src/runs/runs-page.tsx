import type { StatusWord } from '@baton/protocol'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useApi } from '../api/api-context.ts'
import { runsQuery } from '../api/queries.ts'
import { Button } from '../elements/button.tsx'
import { batonCommand } from '../elements/command-line.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { Empty, Loaded, Page } from '../elements/page.tsx'
import { statusLabel } from '../elements/status-mark.tsx'
import type { RunsSearch } from '../router.tsx'
import { useRowKeys } from '../shell/use-row-keys.ts'
import { RunList } from './run-list.tsx'
import { StartRun } from './start-run.tsx'

const route = getRouteApi('/runs')
const FILTERS: StatusWord[] = [
  'queued',
  'starting',
  'running',
  'waiting',
  'asleep',
  'done',
  'warning',
  'failed',
  'stopped',
  'lost',
]

/** All runs, newest first; the filter stands in the address. */
export function RunsPage() {
  useRowKeys()
  const { client } = useApi()
  const search = route.useSearch()
  const runs = useInfiniteQuery(
    runsQuery(client, {
      ...(search.status && { status: [search.status] }),
      ...(search.machine && { machineId: search.machine }),
      ...(search.job && { jobId: search.job }),
      ...(search.agent && { agentId: search.agent }),
    }),
  )
  return (
    <Page title="Runs" lead="Everything that agents did, newest first." actions={<StartRun />}>
      <Filter search={search} />
      <Loaded answer={runs} of="the runs">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items)
          if (items.length === 0) return <NoRuns filtered={Object.keys(search).length > 0} />
          return (
            <>
              <RunList runs={items} label="Runs" />
              {runs.hasNextPage && (
                <div className="mt-4 text-center">
                  <Button disabled={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
                    {runs.isFetchingNextPage ? 'Loading…' : 'Show older runs'}
                  </Button>
                </div>
              )}
            </>
          )
        }}
      </Loaded>
    </Page>
  )
}

function Filter({ search }: { search: RunsSearch }) {
  const navigate = route.useNavigate()
  const others = (['machine', 'job', 'agent'] as const).filter((key) => search[key] !== undefined)
  return (
    <div className="mb-3 flex flex-wrap items-center gap-2">
      <label className="flex items-center gap-2 text-soft">
        Status
        <select
          className="field w-auto"
          value={search.status ?? ''}
          onChange={(event) => {
            const { status: _, ...rest } = search
            const status = event.target.value as StatusWord | ''
            void navigate({ search: status === '' ? rest : { ...rest, status } })
          }}
        >
          <option value="">any</option>
          {FILTERS.map((word) => (
            <option key={word} value={word}>
              {statusLabel(word)}
            </option>
          ))}
        </select>
      </label>
      {others.length > 0 && (
        <Button
          small
          onClick={() => void navigate({ search: search.status ? { status: search.status } : {} })}
        >
          Only one {others.join(' and ')} · show all
        </Button>
      )}
    </div>
  )
}

function NoRuns({ filtered }: { filtered: boolean }) {
  const { origin } = useApi()
  if (filtered) return <Empty title="No run fits this filter." />
  return (
    <Empty title="No agent has run yet.">
      <p className="text-soft">Start one here, or from a computer that is signed in to this relay:</p>
      <CopyLine text={batonCommand(origin, 'run "Explain this repository in five bullets"')} />
    </Empty>
  )
}
