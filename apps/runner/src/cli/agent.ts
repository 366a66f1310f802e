import { access, constants } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, resolve } from 'node:path'
import {
  type AgentView,
  BatonError,
  PERMISSION_MODES,
  type PermissionMode,
  RUNTIMES,
  type Runtime,
} from '@baton/protocol'
import { findExecutable } from '../agents/find-executable.ts'
import { isFolderAllowed, readPolicy } from '../config/policy.ts'
import { readProfile } from '../config/profile.ts'
import { type ApprovalOptions, readApprovals } from './approval-options.ts'
import { changePolicy } from './change-policy.ts'
import { confirm } from './confirm.ts'
import { allowIsolation, type IsolationOptions, isolationText, readIsolation } from './isolation-options.ts'
import { printable } from './printable.ts'
import { probeProblem, whenOffered } from './probe-problem.ts'
import type { Session } from './session.ts'
import { clip, table } from './text.ts'

type CreateOptions = {
  runtime: string
  command?: string[]
  format: string
  machine?: string
  model?: string
  instructions?: string
  permissions?: string
  workspace?: string
  maxConcurrent?: string
  perHour?: string
} & ApprovalOptions &
  IsolationOptions
type UpdateOptions = Omit<CreateOptions, 'runtime' | 'command' | 'format' | 'machine'> & { name?: string }

/** Makes an agent. A program given with --command is first allowed by this machine's own policy, under the agent's key. */
export async function createAgent(
  session: Session,
  [key = '', ...more]: string[],
  given: CreateOptions,
): Promise<void> {
  const options = withArguments(given, more)
  const runtime = oneOf<Runtime | 'auto'>('--runtime', options.runtime, [...RUNTIMES, 'auto'])
  const permissionMode = options.permissions
    ? (oneOf('--permissions', options.permissions, PERMISSION_MODES) as PermissionMode)
    : undefined
  const paths = await session.paths()
  const baton = await session.baton()
  const profile = await readProfile(paths)
  const here = profile.ok ? profile.value.machineId : undefined
  const machine = options.machine
    ? await baton.machines.get(options.machine)
    : here
      ? await baton.machines.get(here)
      : undefined
  if (!machine)
    throw new BatonError(
      'bad_input',
      'This computer is no machine of the relay yet: name one with --machine, or run "baton up" first.',
    )
  const command =
    runtime === 'command' || runtime === 'acp'
      ? await chooseCommand(session, key, runtime, options, machine.id === here)
      : undefined
  const workspace = folderOn(machine.id === here, options.workspace)
  const isolation = await chooseIsolation(session, options, machine.id === here)
  const agent = await baton.agents.create({
    key,
    machineId: machine.id,
    runtime,
    ...(command ? { command } : {}),
    ...(options.model ? { model: options.model } : {}),
    ...(options.instructions ? { instructions: options.instructions } : {}),
    ...(permissionMode ? { permissionMode } : {}),
    ...(workspace ? { workspace } : {}),
    ...(isolation ? { isolation } : {}),
    ...readLimits(options),
    ...readApprovals(options),
  })
  const chosen = runtime === 'auto' ? ` It runs ${agent.runtime}, the best that is signed in there.` : ''
  const seen = command ? await whenOffered(baton, machine, agent.runtime, command) : machine
  const problem = probeProblem(seen, agent.runtime)
  session.print(
    agent,
    () =>
      `${printable(agent.key)} is ${problem === null ? 'ready' : 'made'} on ${printable(agent.machine.name)}.${chosen}`,
  )
  if (problem !== null) session.note(`${session.err('yellow', '!')} ${printable(problem)}`)
  session.note(`Try it: baton run "Say hello" --agent ${agent.key}`)
  if (workspace && machine.id === here) await warnAboutFolder(session, paths.policyFile, workspace)
}

/** Changes what was given and leaves the rest; runs that are under way keep what they started with. */
export async function updateAgent(
  session: Session,
  [id = '']: string[],
  options: UpdateOptions,
): Promise<void> {
  const baton = await session.baton()
  const agent = await baton.agents.get(id)
  const profile = await readProfile(await session.paths())
  const isHere = profile.ok && profile.value.machineId === agent.machine.id
  const workspace = folderOn(isHere, options.workspace)
  const isolation = await chooseIsolation(session, options, isHere)
  const changes = {
    ...(options.name ? { name: options.name } : {}),
    ...(options.model ? { model: options.model } : {}),
    ...(options.instructions ? { instructions: options.instructions } : {}),
    ...(options.permissions
      ? { permissionMode: oneOf('--permissions', options.permissions, PERMISSION_MODES) as PermissionMode }
      : {}),
    ...(workspace ? { workspace } : {}),
    ...(isolation ? { isolation } : {}),
    ...readLimits(options),
    ...readApprovals(options),
  }
  if (Object.keys(changes).length === 0)
    throw new BatonError('bad_input', 'Say what to change; "baton agent update --help" shows what there is.')
  const updated = await baton.agents.update(agent.id, changes)
  session.print(updated, () => `${printable(updated.key)} is changed; its next run has it.`)
}

function readLimits({ maxConcurrent, perHour }: { maxConcurrent?: string; perHour?: string }) {
  return {
    ...(maxConcurrent === undefined ? {} : { maxConcurrent: readCount('--max-concurrent', maxConcurrent) }),
    ...(perHour === undefined ? {} : { perHour: readCount('--per-hour', perHour) }),
  }
}

function readCount(flag: string, text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1)
    throw new BatonError('bad_input', `${flag} ${text}: give a number, 1 or more.`)
  return count
}

/** The image of a container is first allowed by this machine's own policy. */
async function chooseIsolation(session: Session, options: IsolationOptions, isHere: boolean) {
  const isolation = readIsolation(options)
  if (isolation?.kind === 'container' && isHere)
    await changePolicy((await session.paths()).policyFile, (policy) => allowIsolation(policy, isolation))
  return isolation
}

/** A folder of this computer is made absolute; words, ~ and folders of others stay as they are. */
function folderOn(isHere: boolean, folder: string | undefined): string | undefined {
  const isPath = folder !== undefined && folder !== 'scratch' && !/^(~|worktree:)/.test(folder)
  return isHere && isPath ? resolve(folder) : folder
}

/** What stands after `--` belongs to the program of --command: its own options would be taken for Baton's. */
function withArguments(options: CreateOptions, more: string[]): CreateOptions {
  if (more.length === 0) return options
  if (!options.command?.length)
    throw new BatonError(
      'bad_input',
      `Nothing takes "${more.join(' ')}": arguments need --command <program>.`,
    )
  return { ...options, command: [...options.command, ...more] }
}

/** The name under which the machine's policy offers the program. */
async function chooseCommand(
  session: Session,
  key: string,
  runtime: 'acp' | 'command',
  { command, format }: CreateOptions,
  isHere: boolean,
): Promise<string> {
  const [program, ...args] = command ?? []
  if (!program)
    throw new BatonError('bad_input', `An agent with the runtime "${runtime}" needs --command <program>.`)
  if (!isHere) {
    if (args.length === 0 && !/[/\\]/.test(program)) return program
    throw new BatonError(
      'bad_input',
      'Only a machine itself can allow a program. Run this there, or give the name that its policy has for it.',
    )
  }
  const paths = await session.paths()
  if (!/[/\\.]/.test(program) && args.length === 0) {
    const policy = await readPolicy(paths.policyFile)
    if (policy.ok && Object.hasOwn(policy.value.commands, program)) return program
  }
  const onPath = /[/\\]/.test(program) ? null : await findExecutable(program, session.env.PATH ?? '')
  const file = onPath ?? (isAbsolute(program) ? program : resolve(program))
  await access(file, constants.X_OK).catch((error: unknown) => {
    throw new BatonError(
      'bad_input',
      /[/\\]/.test(program)
        ? `--command ${program}: ${file} is missing or not executable. Give the path of a program, and make it executable with chmod +x.`
        : `--command ${program}: there is no such program on the PATH, and no executable file of that name here. Install it, or give its path.`,
      { cause: error },
    )
  })
  const allowed = {
    argv: [file, ...args],
    format: runtime === 'acp' ? ('acp' as const) : oneOf('--format', format, ['text', 'stream-json']),
  }
  await changePolicy(paths.policyFile, (policy) => ({
    ...policy,
    commands: { ...policy.commands, [key]: allowed },
  }))
  session.note(`Allowed on this machine as "${key}": ${[file, ...args].join(' ')}  (${paths.policyFile})`)
  return key
}

async function warnAboutFolder(session: Session, policyFile: string, workspace: string): Promise<void> {
  const policy = await readPolicy(policyFile)
  if (!policy.ok || (await isFolderAllowed(policy.value, workspace, homedir()))) return
  session.note(
    `${session.err('yellow', '!')} ${workspace} is in no folder that ${policyFile} allows: add it to "folders" there.`,
  )
}

export async function listAgents(session: Session): Promise<void> {
  const baton = await session.baton()
  const agents = await baton.agents.list()
  session.print({ items: agents }, () =>
    table(
      ['key', 'state', 'runtime', 'machine', 'runs', 'waits', ''],
      agents.map((one) => [
        printable(one.key),
        stateOf(one, session),
        one.command ? `${one.runtime} ${printable(one.command)}` : one.runtime,
        printable(one.machine.name),
        `${one.live}/${one.maxConcurrent}`,
        String(one.pending),
        clip(printable(one.cause ?? ''), 80),
      ]),
      session.out,
    ),
  )
  if (agents.length === 0) session.note('No agents yet. Make one: baton agent create claude')
}

export async function showAgent(session: Session, [id = '']: string[]): Promise<void> {
  const baton = await session.baton()
  const agent = await baton.agents.get(id)
  session.print(agent, () =>
    [
      `${session.out('bold', printable(agent.key))}  ${stateOf(agent, session)}  ${session.out('dim', agent.id)}`,
      agent.cause && `  ${printable(agent.cause)}`,
      `  ${agent.runtime}${agent.command ? ` ${printable(agent.command)}` : ''}${agent.model ? `, ${printable(agent.model)}` : ''}, may ${agent.permissionMode.replace('_', ' ')}, on ${printable(agent.machine.name)}`,
      agent.isolation.kind === 'host' ? null : `  runs in ${isolationText(agent.isolation)}`,
      `  ${agent.live} of ${agent.maxConcurrent} running, ${agent.pending} waiting, works in ${agent.workspace ? printable(agent.workspace) : 'a folder of its own'}`,
      agent.approvals.mode === 'ask' &&
        `  asks a person where its permission ends, denied after ${Math.round(agent.approvals.expiresMs / 1000)} s`,
      agent.approvals.allow.length > 0 &&
        `  allowed without a question: ${printable(agent.approvals.allow.join(', '))}`,
      agent.instructions && `  ${printable(agent.instructions)}`,
    ]
      .filter(Boolean)
      .join('\n'),
  )
}

export async function detectAgents(session: Session): Promise<void> {
  const { detectRuntimes } = await import('../agents/detect-runtimes.ts')
  const paths = await session.paths()
  const policy = await readPolicy(paths.policyFile)
  const found = await detectRuntimes(policy.ok ? { policy: policy.value } : {})
  session.print({ items: found }, () =>
    table(
      ['runtime', 'installed', 'signed in', ''],
      found.map((one) => [
        one.runtime,
        one.installed ? session.out('green', one.version ?? 'yes') : 'no',
        one.installed ? one.signedIn : '',
        printable(one.commands.length > 0 ? one.commands.join(', ') : one.detail),
      ]),
      session.out,
    ),
  )
}

export async function pauseAgent(session: Session, [id = '']: string[]): Promise<void> {
  await change(session, id, (baton, agent) => baton.agents.pause(agent), 'is paused; new work waits.')
}

export async function resumeAgent(session: Session, [id = '']: string[]): Promise<void> {
  await change(session, id, (baton, agent) => baton.agents.resume(agent), 'works again.')
}

export async function archiveAgent(session: Session, [id = '']: string[]): Promise<void> {
  await confirm(session, `Archive the agent ${id}?`)
  await change(session, id, (baton, agent) => baton.agents.archive(agent), 'is archived.')
}

type Client = Awaited<ReturnType<Session['baton']>>

async function change(
  session: Session,
  id: string,
  ask: (baton: Client, agentId: string) => Promise<AgentView>,
  what: string,
): Promise<void> {
  const baton = await session.baton()
  const agent = await ask(baton, (await baton.agents.get(id)).id)
  session.print(agent, () => `${printable(agent.key)} ${what}`)
}

function stateOf(agent: AgentView, { out }: Session): string {
  const colours = {
    idle: 'green',
    busy: 'cyan',
    error: 'red',
    offline: 'yellow',
    paused: 'yellow',
    archived: 'dim',
  } as const
  return out(colours[agent.state], agent.state)
}

function oneOf<T extends string>(flag: string, given: string, known: readonly T[]): T {
  if (known.includes(given as T)) return given as T
  throw new BatonError('bad_input', `${flag} ${given}: choose from ${known.join(', ')}.`)
}
