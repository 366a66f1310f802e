import type { MachineView } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { CopyLine } from '../elements/copy-button.tsx'
import { Empty } from '../elements/page.tsx'
import { MachineMark } from '../elements/status-mark.tsx'
import { Ago } from '../elements/time.tsx'

export function MachineCards({ machines }: { machines: MachineView[] }) {
  if (machines.length === 0) {
    return (
      <Empty title="No machine is registered.">
        <p className="text-soft">
          Add one on the{' '}
          <Link to="/machines" className="font-medium text-accent underline">
            Machines
          </Link>{' '}
          page; agents run on it. For this computer alone:
        </p>
        <CopyLine text="npm start" />
      </Empty>
    )
  }
  return (
    <ul className="card divide-y divide-line">
      {machines.map((machine) => (
        <li key={machine.id} className="space-y-1 px-4 py-3">
          <div className="flex items-center justify-between gap-3">
            <span className="min-w-0 truncate font-medium">{machine.name}</span>
            <MachineMark state={machine.state} />
          </div>
          {machine.cause !== null && <p className="text-[13px] text-soft">{machine.cause}</p>}
          <p className="text-[13px] text-soft">
            {machine.state !== 'revoked' && machine.state !== 'archived' && <Load machine={machine} />}
            {machine.state === 'offline' && machine.lastHeartbeatAt !== null && (
              <>
                {' · last heard '}
                <Ago at={machine.lastHeartbeatAt} />
              </>
            )}
          </p>
        </li>
      ))}
    </ul>
  )
}

/** How much of a machine is in use and how much waits for it. */
export function Load({ machine: { live, slots, pending } }: { machine: MachineView }) {
  return (
    <>
      {live} of {slots} running{pending > 0 && ` · ${pending} waiting`}
    </>
  )
}
