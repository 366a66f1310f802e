import type { OverviewView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useApi } from '../api/api-context.ts'
import { overviewQuery } from '../api/queries.ts'
import { OpenApprovals } from '../approvals/open-approvals.tsx'
import { batonCommand } from '../elements/command-line.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { formatCount, plural } from '../elements/format.ts'
import { Empty, Loaded, Page, Section } from '../elements/page.tsx'
import { TroubledDispatches } from '../outputs/troubled-dispatches.tsx'
import { RunList } from '../runs/run-list.tsx'
import { StartRun } from '../runs/start-run.tsx'
import { useRowKeys } from '../shell/use-row-keys.ts'
import { AgentList } from './agent-list.tsx'
import { FirstSteps } from './first-steps.tsx'
import { MachineCards } from './machine-cards.tsx'
import { Now } from './now.tsx'

/** What runs now, what ran last, and on which machines and agents it can run. */
export function OverviewPage() {
  useRowKeys()
  const { client } = useApi()
  const overview = useQuery(overviewQuery(client))
  return (
    <Page title="Overview" lead={overview.data && summaryOf(overview.data)} actions={<StartRun />}>
      <Loaded answer={overview} of="the overview">
        {(view) => (
          <div className="grid gap-x-8 lg:grid-cols-[minmax(0,1fr)_20rem]">
            <div className="min-w-0">
              <OpenApprovals approvals={view.openApprovals} />
              <FirstSteps overview={view} />
              <TroubledDispatches dispatches={view.troubledDispatches} />
              <Section title="Now">
                <Now runs={view.running} />
              </Section>
              <Section
                title="Recent"
                aside={view.recent.length > 0 && <MoreLink to="/runs" text="All runs" />}
              >
                {view.recent.length > 0 ? <RunList runs={view.recent} label="Recent runs" /> : <FirstRun />}
              </Section>
            </div>
            <div className="min-w-0">
              <Section
                title="Machines"
                aside={view.machines.length > 0 && <MoreLink to="/machines" text="All machines" />}
              >
                <MachineCards machines={view.machines} />
              </Section>
              {view.agents.length > 0 && (
                <Section title="Agents" aside={<MoreLink to="/agents" text="All agents" />}>
                  <AgentList agents={view.agents} />
                </Section>
              )}
            </div>
          </div>
        )}
      </Loaded>
    </Page>
  )
}

/** The machines count exactly; the list of what runs is only the newest of it. */
function summaryOf({ machines, openApprovals, jobs }: OverviewView): string {
  const sum = (of: 'live' | 'pending') => machines.reduce((total, machine) => total + machine[of], 0)
  const online = machines.filter(({ state }) => state === 'online' || state === 'draining').length
  const [live, pending] = [sum('live'), sum('pending')]
  return [
    live === 0 ? 'Nothing running' : `${formatCount(live)} running`,
    pending > 0 && `${formatCount(pending)} queued`,
    openApprovals.length > 0 && `${plural(openApprovals.length, 'question')} for you`,
    online === machines.length
      ? `${plural(online, 'machine')} online`
      : `${online} of ${plural(machines.length, 'machine')} online`,
    plural(jobs, 'job'),
  ]
    .filter(Boolean)
    .join(' · ')
}

function FirstRun() {
  const { origin } = useApi()
  return (
    <Empty title="No agent has run yet.">
      <p className="text-soft">Type this in any folder, or start one with the button above:</p>
      <CopyLine text={batonCommand(origin, 'run "Explain this repository in five bullets"')} />
    </Empty>
  )
}

function MoreLink({ to, text }: { to: '/runs' | '/machines' | '/agents'; text: string }) {
  return (
    <Link to={to} className="rounded px-1 py-1 text-[13px] font-medium text-accent hover:underline">
      {text}
    </Link>
  )
}
