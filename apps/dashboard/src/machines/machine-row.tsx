import type { AgentView, MachineView } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { formatBytes, plural } from '../elements/format.ts'
import { MachineMark } from '../elements/status-mark.tsx'
import { Ago } from '../elements/time.tsx'
import { MachineActions } from './machine-actions.tsx'
import { MachineLoad } from './machine-load.tsx'

/** One machine in a line: whether it is there and if not why, how busy it is, and who works on it. */
export function MachineRow({ machine, agents }: { machine: MachineView; agents: AgentView[] }) {
  const gone = machine.state === 'revoked' || machine.state === 'archived'
  const ill = agents.filter(({ state }) => state === 'error')
  return (
    <div className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 px-4 py-3 md:grid-cols-[minmax(0,1fr)_13rem_12rem_auto]">
      <div className="min-w-0">
        <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
          <Link
            to="/machines/$machine"
            params={{ machine: machine.id }}
            data-row
            className="min-w-0 truncate rounded font-medium hover:text-accent hover:underline"
          >
            {machine.name}
          </Link>
          <MachineMark state={machine.state} />
        </p>
        <p className="text-[13px] break-words text-soft">
          {machine.cause ?? systemWords(machine)}
          {machine.state === 'offline' && machine.lastHeartbeatAt !== null && (
            <>
              {' '}
              Last heard <Ago at={machine.lastHeartbeatAt} />.
            </>
          )}
        </p>
      </div>
      <div className="min-w-0 max-md:col-span-2 max-md:row-start-2">
        {!gone && <MachineLoad machine={machine} />}
      </div>
      <p className="min-w-0 text-[13px] text-soft max-md:col-span-2">
        {agents.length === 0 ? 'no agent' : plural(agents.length, 'agent')}
        {ill.length > 0 && <span className="text-bad"> · ✕ {ill.length} cannot work</span>}
        {machine.storage && (
          <span className={`block ${isLow(machine) ? 'text-warn' : ''}`}>
            {formatBytes(machine.storage.freeBytes)} free
            {machine.storage.worktrees > 0 && ` · ${plural(machine.storage.worktrees, 'worktree')}`}
          </span>
        )}
      </p>
      <div className="max-md:col-start-2 max-md:row-start-1">
        <MachineActions machine={machine} />
      </div>
    </div>
  )
}

const isLow = ({ storage }: MachineView) => storage !== null && storage.freeBytes < 0.1 * storage.totalBytes

export function systemWords({ hostname, os, arch, runnerVersion }: MachineView): string {
  if (os === null) return 'No runner has connected with its key yet.'
  return [hostname, [os, arch].filter(Boolean).join(' '), runnerVersion && `runner ${runnerVersion}`]
    .filter(Boolean)
    .join(' · ')
}
