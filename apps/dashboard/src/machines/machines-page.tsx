import { useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { agentsQuery, machinesQuery } from '../api/queries.ts'
import { Button } from '../elements/button.tsx'
import { CopyLine } from '../elements/copy-button.tsx'
import { Empty, Loaded, Page } from '../elements/page.tsx'
import { useRowKeys } from '../shell/use-row-keys.ts'
import { AddMachine } from './add-machine.tsx'
import { MachineRow } from './machine-row.tsx'

/** The registered computers with what they can run. */
export function MachinesPage() {
  useRowKeys()
  const { client } = useApi()
  const machines = useQuery(machinesQuery(client))
  const agents = useQuery(agentsQuery(client))
  const [adding, setAdding] = useState(false)
  return (
    <Page
      title="Machines"
      lead="The computers on which agents run."
      actions={
        <Button look="main" icon={<Plus size={16} aria-hidden />} onClick={() => setAdding(true)}>
          Add a machine
        </Button>
      }
    >
      <Loaded answer={machines} of="the machines">
        {(all) =>
          all.length === 0 ? (
            <NoMachines />
          ) : (
            <ul aria-label="Machines" className="card divide-y divide-line">
              {all.map((machine) => (
                <li key={machine.id}>
                  <MachineRow
                    machine={machine}
                    agents={agents.data?.filter((agent) => agent.machine.id === machine.id) ?? []}
                  />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {adding && <AddMachine onClose={() => setAdding(false)} />}
    </Page>
  )
}

function NoMachines() {
  return (
    <Empty title="No machine is registered.">
      <p className="text-soft">
        Add one with the button above: it gives you a key and the line to paste on that computer. To try Baton
        with this relay and a runner on one computer:
      </p>
      <CopyLine text="npm start" />
    </Empty>
  )
}
