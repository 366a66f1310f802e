import type { MachineState, MachineView } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { CopyLine } from '../elements/copy-button.tsx'
import { Empty } from '../elements/page.tsx'
import { MachineMark } from '../elements/status-mark.tsx'
import { Ago } from '../elements/time.tsx'
import { MachineLoad } from '../machines/machine-load.tsx'

const MOST_SHOWN = 6
const ORDER: MachineState[] = ['online', 'draining', 'offline', 'revoked', 'archived']

/** The machines that matter now: the busy ones first, then those that are there. */
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
  const sorted = machines.toSorted(
    (one, other) =>
      other.live + other.pending - one.live - one.pending ||
      ORDER.indexOf(one.state) - ORDER.indexOf(other.state),
  )
  const more = sorted.length - MOST_SHOWN
  return (
    <ul aria-label="Machines" className="card divide-y divide-line overflow-hidden">
      {sorted.slice(0, MOST_SHOWN).map((machine) => (
        <li key={machine.id}>
          <Link
            to="/machines/$machine"
            params={{ machine: machine.id }}
            className="block space-y-1 px-4 py-2.5 -outline-offset-2 hover:bg-hover"
          >
            <span className="flex items-center justify-between gap-3">
              <span className="min-w-0 truncate font-medium">{machine.name}</span>
              <MachineMark state={machine.state} />
            </span>
            {(machine.state === 'offline' || machine.state === 'draining') && (
              <span className="block text-[13px] text-soft">
                {machine.cause}
                {machine.state === 'offline' && machine.lastHeartbeatAt !== null && (
                  <>
                    {' '}
                    Last heard <Ago at={machine.lastHeartbeatAt} />.
                  </>
                )}
              </span>
            )}
            {machine.state !== 'revoked' && <MachineLoad machine={machine} />}
          </Link>
        </li>
      ))}
      {more > 0 && (
        <li>
          <Link
            to="/machines"
            className="block px-4 py-2.5 text-[13px] font-medium text-accent -outline-offset-2 hover:bg-hover"
          >
            {more} more
          </Link>
        </li>
      )}
    </ul>
  )
}
