import type { MachinePolicy, MachineStorage, MachineView } from '@baton/protocol'
import { PERMISSION_WORDS } from '../agents/agent-words.ts'
import { useApi } from '../api/api-context.ts'
import { batonCommand } from '../elements/command-line.ts'
import { CopyButton, CopyLine } from '../elements/copy-button.tsx'
import { CardPart, Fact, Facts } from '../elements/facts.tsx'
import { formatBytes, formatDuration, plural } from '../elements/format.ts'
import { Meter } from '../elements/meter.tsx'
import { Ago } from '../elements/time.tsx'
import { RuntimeList } from './runtime-list.tsx'

/** What a machine is, what it lets the relay ask for, how full it is, and what is installed on it. */
export function MachineFacts({ machine }: { machine: MachineView }) {
  return (
    <div className="card divide-y divide-line">
      <CardPart title="Computer">
        <Facts>
          <Fact name="Name there">{machine.hostname ?? 'not known yet'}</Fact>
          <Fact name="System">{[machine.os, machine.arch].filter(Boolean).join(' ') || 'not known yet'}</Fact>
          <Fact name="Runner">{machine.runnerVersion ?? 'none has connected with its key yet'}</Fact>
          <Fact name="Last heard">
            {machine.lastHeartbeatAt === null ? 'never' : <Ago at={machine.lastHeartbeatAt} />}
          </Fact>
          <Fact name="Added">
            <Ago at={machine.createdAt} />
          </Fact>
          <Fact name="Id">
            <span className="font-mono text-xs">{machine.id}</span> <CopyButton text={machine.id} bare />
          </Fact>
        </Facts>
      </CardPart>
      {machine.storage && <Storage storage={machine.storage} />}
      <CardPart title="Its policy allows">
        {machine.policy ? (
          <Policy policy={machine.policy} />
        ) : (
          <p className="text-[13px] text-soft">
            {machine.os === null ? 'Known once its runner has connected.' : 'Its runner is too old to tell.'}
          </p>
        )}
      </CardPart>
      <CardPart title="Installed">
        <RuntimeList probes={machine.runtimes} />
      </CardPart>
    </div>
  )
}

const LITTLE_LEFT = 0.9

function Storage({ storage: { worktrees, freeBytes, totalBytes } }: { storage: MachineStorage }) {
  const { origin } = useApi()
  const part = totalBytes === 0 ? 0 : 1 - freeBytes / totalBytes
  return (
    <CardPart title="Disk">
      <Meter
        part={part}
        warnFrom={LITTLE_LEFT}
        left={`${formatBytes(totalBytes - freeBytes)} of ${formatBytes(totalBytes)} used`}
        right={
          <span className={part > LITTLE_LEFT ? 'font-medium text-warn' : 'text-soft'}>
            {formatBytes(freeBytes)} free
          </span>
        }
      />
      <p className="mt-2 text-[13px]">
        {worktrees === 0 ? 'No worktree of a run is kept.' : `${plural(worktrees, 'worktree')} of runs kept.`}
      </p>
      {worktrees > 0 && (
        <div className="mt-1">
          <p className="text-[13px] text-soft">There, this removes those of which nothing would be lost:</p>
          <CopyLine text={batonCommand(origin, 'worktree clean')} />
        </div>
      )}
    </CardPart>
  )
}

function Policy({ policy }: { policy: MachinePolicy }) {
  return (
    <>
      <Facts>
        <Fact name="Folders">
          <code className="font-mono text-xs">{policy.folders.join(', ') || 'none'}</code>
        </Fact>
        <Fact name="Agents may">
          {policy.permissionModes.map((mode) => PERMISSION_WORDS[mode]).join('; ') || 'nothing'}
        </Fact>
        <Fact name="From outside">
          {policy.publicModes.map((mode) => PERMISSION_WORDS[mode]).join('; ') || 'nothing'}
        </Fact>
        <Fact name="Programs">{policy.runtimes.join(', ') || 'none'}</Fact>
        {policy.repositories.length > 0 && (
          <Fact name="Repositories">
            <code className="font-mono text-xs">{policy.repositories.join(', ')}</code>
          </Fact>
        )}
        <Fact name="Environment">{policy.environment.join(', ') || 'no names of its own'}</Fact>
        <Fact name="Secrets">{policy.secrets ? 'under any name' : 'only under those names'}</Fact>
        <Fact name="Approvals">
          {policy.approvals ? 'people may allow more' : 'nobody may allow more than this'}
        </Fact>
        <Fact name="At most">
          {policy.maxWallMs === null ? 'no limit of time' : formatDuration(policy.maxWallMs)}
        </Fact>
      </Facts>
      <p className="mt-2 text-[13px] text-soft">
        Its owner decides this in the machine’s own policy file; nobody can change it from here.
      </p>
    </>
  )
}
