import { isFinishedDelivery, type RunView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useApi } from '../api/api-context.ts'
import { isNotFound } from '../api/api-error.ts'
import { runQuery } from '../api/queries.ts'
import { RunApprovals } from '../approvals/run-approvals.tsx'
import { SteerBox } from '../approvals/steer-box.tsx'
import { BackLink, Empty, Loaded, Page, useTitle } from '../elements/page.tsx'
import { RelayText } from '../elements/relay-text.tsx'
import { StatusMark } from '../elements/status-mark.tsx'
import { Duration } from '../elements/time.tsx'
import { RunDispatches } from '../outputs/run-dispatches.tsx'
import { ChangesView } from './changes/changes-view.tsx'
import { FollowUp } from './follow-up.tsx'
import { LogView } from './log/log-view.tsx'
import { RunActions } from './run-actions.tsx'
import { errorAdvice, RunFacts } from './run-facts.tsx'
import { titleOf } from './run-list.tsx'
import { RunResult } from './run-result.tsx'
import { WhyPanel } from './why-panel.tsx'

const route = getRouteApi('/runs/$runId')

/** One run, live: what came of it, its log, and everything else that is known about it. */
export function RunPage() {
  const { runId } = route.useParams()
  const { client } = useApi()
  const run = useQuery(runQuery(client, runId))
  if (run.data) return <RunBody key={run.data.id} run={run.data} />
  if (isNotFound(run.error)) {
    return (
      <Page title="No such run">
        <Empty title={`There is no run ${runId} in this organization.`}>
          <Link to="/runs" className="font-medium text-accent underline">
            All runs
          </Link>
        </Empty>
      </Page>
    )
  }
  return (
    <Page title="Run">
      <Loaded answer={run} of="the run">
        {() => null}
      </Loaded>
    </Page>
  )
}

type RunTab = 'log' | 'changes' | 'facts'

/** Log and facts side by side; on narrow screens one at a time. */
function RunBody({ run }: { run: RunView }) {
  const title = titleOf({ job: run.job, promptStart: run.prompt })
  useTitle(title)
  const { changes } = run
  const hasChanges = changes !== null && changes.filesChanged + changes.commits.length > 0
  const { tab: asked } = route.useSearch()
  const navigate = route.useNavigate()
  const tab: RunTab = asked === 'facts' || (asked === 'changes' && hasChanges) ? asked : 'log'
  const setTab = (next: RunTab) =>
    void navigate({ search: next === 'log' ? {} : { tab: next }, hash: true, replace: true })
  const waits = !isFinishedDelivery(run.deliveryState) && run.ladder.startedAt === null
  const unsent = run.dispatches.some(
    ({ state, tries }) => tries > 0 && state !== 'sent' && state !== 'skipped',
  )
  const stuck = waits || run.deliveryState === 'stalled'
  return (
    <div className="flex min-h-full flex-col gap-4 px-4 py-4 sm:px-6 lg:h-full">
      <RunHeader run={run} title={title} />
      {stuck && <WhyPanel id={run.deliveryId} />}
      <RunApprovals run={run} />
      <RunResult run={run} />
      <div
        role="tablist"
        aria-label="Run"
        className={`grid auto-cols-fr grid-flow-col gap-1 rounded-lg bg-sunk p-1 ${hasChanges ? 'lg:w-80' : 'lg:hidden'}`}
      >
        <Tab name="Log" on={tab === 'log'} onClick={() => setTab('log')} />
        {hasChanges && (
          <Tab
            name={`Changes (${changes.filesChanged})`}
            on={tab === 'changes'}
            onClick={() => setTab('changes')}
          />
        )}
        <Tab name="Details" on={tab === 'facts'} onClick={() => setTab('facts')} narrow />
      </div>
      <div className="flex min-h-0 flex-1 gap-5">
        <div
          className={`min-w-0 flex-1 flex-col max-lg:h-[72dvh] lg:min-h-72 ${tab === 'log' ? 'flex' : tab === 'facts' ? 'hidden lg:flex' : 'hidden'}`}
        >
          <LogView
            runId={run.id}
            waiting={waits ? 'Nothing yet: it has not started.' : 'Waiting for the first output…'}
          />
          {isFinishedDelivery(run.deliveryState) && <FollowUp run={run} />}
          {run.state === 'running' && run.deliveryState === 'running' && run.cancelRequestedAt === null && (
            <div className="pt-3">
              <SteerBox run={run} />
            </div>
          )}
        </div>
        {hasChanges && tab === 'changes' && <ChangesView run={run} changes={changes} />}
        <div
          className={`w-full overflow-y-auto lg:block lg:w-80 lg:shrink-0 ${tab === 'facts' ? '' : 'hidden'}`}
        >
          {unsent && <RunDispatches run={run} />}
          <RunFacts run={run} />
          {!unsent && <RunDispatches run={run} />}
        </div>
      </div>
    </div>
  )
}

function RunHeader({ run, title }: { run: RunView; title: string }) {
  const { ladder } = run
  const advice = errorAdvice(run)
  return (
    <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div className="min-w-0 flex-1 basis-80">
        <BackLink to="/runs" name="Runs" />
        <h1 className="line-clamp-2 text-xl font-semibold tracking-tight break-words">{title}</h1>
        <p className="mt-1 flex flex-wrap items-center gap-x-2.5 gap-y-1">
          <StatusMark word={run.status} chip />
          <span role="status" className="min-w-0 break-words">
            <RelayText text={run.sentence} />
          </span>
        </p>
        {run.message && !run.sentence.includes(run.message) && (
          <p className="mt-1 break-words whitespace-pre-wrap text-soft">{run.message}</p>
        )}
        {advice && !run.sentence.includes(advice) && <p className="mt-1 text-soft">{advice}</p>}
        <p className="mt-1 text-[13px] text-soft">
          {run.agent.key} on{' '}
          <Link
            to="/machines/$machine"
            params={{ machine: run.machine.id }}
            className="hover:text-accent hover:underline"
          >
            {run.machine.name}
          </Link>
          {ladder.startedAt !== null && (
            <>
              {' · '}
              <Duration from={ladder.startedAt} to={ladder.finishedAt} />
            </>
          )}
          {run.attempt > 1 && ` · attempt ${run.attempt}`}
          {run.exitCode !== null && ` · exit code ${run.exitCode}`}
        </p>
      </div>
      <RunActions run={run} />
    </header>
  )
}

/** `narrow`: only where there is no room for it beside the others. */
function Tab({
  name,
  on,
  onClick,
  narrow = false,
}: {
  name: string
  on: boolean
  onClick: () => void
  narrow?: boolean
}) {
  return (
    <button
      type="button"
      role="tab"
      aria-selected={on}
      onClick={onClick}
      className={`${narrow ? 'lg:hidden ' : ''}min-h-9 rounded-md font-medium text-soft aria-selected:bg-card aria-selected:text-ink aria-selected:shadow-sm`}
    >
      {name}
    </button>
  )
}
