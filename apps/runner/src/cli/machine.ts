import type { MachinePolicy, MachineStorage, MachineView } from '@baton/protocol'
import { confirm } from './confirm.ts'
import { isLoopback } from './loopback.ts'
import { printable } from './printable.ts'
import type { Session } from './session.ts'
import { ago, table } from './text.ts'

export async function addMachine(session: Session, [name = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const { machine, key } = await baton.machines.create({ name })
  session.print({ machine, key }, () => key)
  notePaste(session, baton.url, machine.name)
}

function notePaste(session: Session, url: string, name: string): void {
  session.note(`Keep it: it is not shown again. On ${printable(name)}, paste it into:`)
  session.note(`  baton up --server ${url} --key-stdin`)
  if (isLoopback(url))
    session.note('No other computer reaches the relay under this address: see docs/hosting.md.')
}

export async function listMachines(session: Session): Promise<void> {
  const baton = await session.baton()
  const machines = await baton.machines.list()
  session.print({ items: machines }, () =>
    table(
      ['name', 'state', 'runs', 'waits', 'last contact', ''],
      machines.map((one) => [
        printable(one.name),
        stateOf(one, session),
        `${one.live}/${one.slots}`,
        String(one.pending),
        ago(one.lastHeartbeatAt),
        one.cause ?? '',
      ]),
      session.out,
    ),
  )
  if (machines.length === 0) session.note('No machines yet. Add this one: baton machine add <name>')
}

export async function showMachine(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const machine = await baton.machines.get(id)
  session.print(machine, () => describe(machine, session))
}

export async function renameMachine(session: Session, [id = '', name = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const machine = await baton.machines.get(id)
  const renamed = await baton.machines.rename(machine.id, name)
  session.print(renamed, () => `${printable(machine.name)} is now ${printable(name)}.`)
}

export async function drainMachine(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const machine = await baton.machines.drain(id)
  session.print(machine, () => `${printable(machine.name)} takes no new work. ${running(machine)}`)
  session.note(`Let it take work again: baton machine resume ${printable(machine.name)}`)
}

const running = ({ live }: MachineView) =>
  live === 0 ? 'Nothing is at work there.' : `${live} at work there ${live === 1 ? 'ends' : 'end'} as usual.`

export async function resumeMachine(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const machine = await baton.machines.resume(id)
  const words =
    machine.state === 'online' ? 'takes work again.' : `may take work again; it is ${machine.state}.`
  session.print(machine, () => `${printable(machine.name)} ${words}`)
}

export async function rotateMachineKey(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const machine = await baton.machines.get(id)
  await confirm(
    session,
    `Make a new key for ${machine.name}? Its runner is cut off until it has the new one.`,
  )
  const { key } = await baton.machines.rotateKey(machine.id)
  session.print({ machine, key }, () => key)
  notePaste(session, baton.url, machine.name)
}

export async function revokeMachine(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const machine = await baton.machines.get(id)
  await confirm(session, `Revoke ${machine.name}? Its key stops working at once and for good.`)
  const revoked = await baton.machines.revoke(machine.id)
  session.print(revoked, () => `${printable(machine.name)} is revoked.`)
}

export async function archiveMachine(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const machine = await baton.machines.get(id)
  await confirm(session, `Archive ${machine.name}?`)
  const archived = await baton.machines.archive(machine.id)
  session.print(archived, () => `${printable(machine.name)} is archived.`)
}

function stateOf(machine: MachineView, { out }: Session): string {
  if (machine.state === 'online') return out('green', '● online')
  return out('yellow', `${machine.state === 'draining' ? '◔' : '☾'} ${machine.state}`)
}

function describe(machine: MachineView, session: Session): string {
  const head = `${session.out('bold', printable(machine.name))}  ${stateOf(machine, session)}  ${session.out('dim', machine.id)}`
  const facts = [
    machine.cause,
    machine.hostname &&
      `${printable(machine.hostname)}, ${machine.os} ${machine.arch}, runner ${machine.runnerVersion}`,
    `${machine.live} of ${machine.slots} running, ${machine.pending} waiting, last contact ${ago(machine.lastHeartbeatAt)}`,
    machine.policy && policyLine(machine.policy),
    machine.storage && storageLine(machine.storage),
  ]
  const agents = table(
    ['runtime', 'version', 'signed in', ''],
    machine.runtimes
      .filter((one) => one.installed)
      .map((one) => [
        one.runtime,
        one.version ?? '',
        one.signedIn,
        printable(one.commands.join(', ') || one.detail),
      ]),
    session.out,
  )
  return [head, ...facts.filter(Boolean).map((fact) => `  ${fact}`), agents].filter(Boolean).join('\n')
}

function policyLine({ folders, permissionModes, runtimes, maxWallMs }: MachinePolicy): string {
  const time = maxWallMs === null ? '' : `, for ${Math.round(maxWallMs / 60_000)} min at most`
  return `its policy allows ${printable(runtimes.join(', '))} to ${permissionModes.join(', ')} in ${printable(folders.join(', '))}${time}`
}

function storageLine({ worktrees, freeBytes, totalBytes }: MachineStorage): string {
  const gib = (bytes: number) => (bytes / 1_024 ** 3).toFixed(1)
  return `${worktrees} ${worktrees === 1 ? 'worktree' : 'worktrees'} kept, ${gib(freeBytes)} of ${gib(totalBytes)} GiB free`
}
