import type { MachineView } from '@baton/protocol'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useApi } from '../api/api-context.ts'
import type { Client } from '../api/client.ts'
import { agentsQuery, type QueryMeta } from '../api/queries.ts'
import { Page } from '../elements/page.tsx'
import { RowPage } from '../elements/row-page.tsx'
import { MachineMark } from '../elements/status-mark.tsx'
import { LastRuns } from '../runs/last-runs.tsx'
import { StageTimes } from '../runs/stage-times.tsx'
import { WhyPanel } from '../runs/why-panel.tsx'
import { useRowKeys } from '../shell/use-row-keys.ts'
import { MachineActions } from './machine-actions.tsx'
import { MachineAgents } from './machine-agents.tsx'
import { MachineFacts } from './machine-facts.tsx'
import { MachineLoad } from './machine-load.tsx'
import { MachineWatches } from './machine-watches.tsx'

const route = getRouteApi('/machines/$machine')

const machineQuery = (client: Client, id: string) =>
  queryOptions({
    queryKey: ['machine', id],
    queryFn: ({ signal }) => client.machines.get.query({ id }, { signal }),
    meta: { changedBy: ['machine', 'delivery', 'run'] } satisfies QueryMeta,
  })

/** Everything about one machine: who works on it, what it did, what it lets agents do. */
export function MachinePage() {
  const { machine } = route.useParams()
  const { client } = useApi()
  const answer = useQuery(machineQuery(client, machine))
  return (
    <RowPage kind="machine" named={machine} answer={answer}>
      {(row) => <MachineBody key={row.id} machine={row} />}
    </RowPage>
  )
}

function MachineBody({ machine }: { machine: MachineView }) {
  useRowKeys()
  const { client } = useApi()
  const agents = useQuery(agentsQuery(client))
  const its = agents.data?.filter((agent) => agent.machine.id === machine.id) ?? []
  const gone = machine.state === 'revoked' || machine.state === 'archived'
  return (
    <Page
      title={machine.name}
      back={{ to: '/machines', name: 'Machines' }}
      lead={
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <MachineMark state={machine.state} />
          {!gone && <MachineLoad machine={machine} />}
        </span>
      }
      actions={<MachineActions machine={machine} />}
    >
      {machine.state !== 'online' && (
        <div className="mb-5">
          <WhyPanel id={machine.id} label="Why it takes no work" />
        </div>
      )}
      <div className="grid gap-x-8 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="min-w-0">
          <MachineAgents machine={machine} agents={its} />
          <MachineWatches agents={its} />
          <LastRuns filter={{ machine: machine.id }} />
        </div>
        <div className="min-w-0 space-y-5">
          <MachineFacts machine={machine} />
          <StageTimes filter={{ machineId: machine.id }} />
        </div>
      </div>
    </Page>
  )
}
