import { mkdir, realpath, stat } from 'node:fs/promises'
import { basename, isAbsolute, join } from 'node:path'
import type { PushedDelivery } from '@baton/protocol'
import { findExecutable } from '../agents/find-executable.ts'
import type { Prepared, PrepareInput, Refused, RuntimeDriver } from '../agents/runtime.ts'
import type { EndInside } from '../processes/end-inside.ts'
import type { WorktreeRecord } from '../workspaces/worktrees/worktree-record.ts'
import { AGENT_STATE } from './agent-state.ts'
import { bubblewrapArguments, secretFolders } from './bubblewrap.ts'
import { containerFolders, fillHome } from './container-home.ts'
import {
  type ContainerIsolation,
  type ContainerPlan,
  endInsideArguments,
  execArguments,
} from './container-plan.ts'
import type { Containers } from './containers.ts'
import { gitPaths } from './git-paths.ts'
import { handOver } from './hand-over.ts'
import { writeShims } from './write-shims.ts'

/** A prepared start, and how processes of the run are ended where this machine does not see them. */
export type Isolated = { prepared: Prepared; inside: EndInside | null }

export type IsolationPlace = {
  /** Folders of Baton's own: its keys, its state and the work of other runs. */
  hidden: readonly string[]
  homeFolder: string
  containers: Containers
  /** The run's worktree, whose repository its agent must be able to write into for a commit. */
  worktree: WorktreeRecord | null
  /** What a container is bound to instead of the workspace, when that changes with each run. */
  mountFolder: string | null
}

/** Prepares the agent's start where its isolation says. Nothing of the agent is started; a container may be. */
export async function prepareIsolated(
  driver: RuntimeDriver,
  input: PrepareInput,
  place: IsolationPlace,
  signal: AbortSignal,
): Promise<Isolated | Refused> {
  const { isolation } = input.delivery.agent
  if (isolation.kind === 'container') return await inContainer(driver, input, place, isolation, signal)
  const prepared = await driver.prepare(input)
  if ('refused' in prepared || isolation.kind === 'host')
    return 'refused' in prepared ? prepared : { prepared, inside: null }
  const bwrap = await findExecutable('bwrap', input.environment.PATH ?? '')
  if (bwrap === null) {
    const message =
      'bubblewrap (bwrap) is not on the PATH of the runner on that machine. Install it, or change the agent’s isolation.'
    return { refused: 'container', message }
  }
  return { prepared: await wrap(prepared, bwrap, input, place, isolation.network), inside: null }
}

async function wrap(
  prepared: Prepared,
  bwrap: string,
  input: PrepareInput,
  place: IsolationPlace,
  network: boolean,
): Promise<Prepared> {
  const { cwd, tmpDir, eventFile, delivery } = input
  const { command } = prepared
  const state = await agentStatePaths(delivery, place.homeFolder, input.environment)
  const git = await gitPaths(cwd, place.worktree)
  const programs = [command.file, ...command.args].filter((word) => isAbsolute(word))
  const args = bubblewrapArguments({
    cwd,
    network,
    hidden: await existing([...place.hidden, ...secretFolders(place.homeFolder)]),
    readable: await existing([...programs, eventFile, ...git.readable]),
    writable: await existing([cwd, tmpDir, ...keptFolders(input), ...git.writable, ...state.writable]),
    fixed: await existing([...git.fixed, ...state.fixed]),
  })
  return {
    ...prepared,
    command: { ...command, file: bwrap, args: [...args, command.file, ...command.args] },
    shown: ['bwrap', '…', '--', ...prepared.shown],
  }
}

async function agentStatePaths(
  { agent }: PushedDelivery,
  homeFolder: string,
  environment: PrepareInput['environment'],
): Promise<{ writable: string[]; fixed: string[] }> {
  const { state, fixed, movedBy } = AGENT_STATE[agent.runtime]
  const moved = movedBy === null ? undefined : environment[movedBy.name]
  const at = (file: string) =>
    movedBy !== null && moved !== undefined && `${file}/`.startsWith(`${movedBy.folder}/`)
      ? join(moved, file.slice(movedBy.folder.length))
      : join(homeFolder, file)
  // A CLI makes its folder at its first start; a place for that must be there to be written.
  for (const folder of state)
    if (!basename(folder).endsWith('.json')) await mkdir(at(folder), { recursive: true })
  return { writable: state.map(at), fixed: fixed.map(at) }
}

async function inContainer(
  driver: RuntimeDriver,
  input: PrepareInput,
  place: IsolationPlace,
  isolation: ContainerIsolation,
  signal: AbortSignal,
): Promise<Isolated | Refused> {
  const { delivery, cwd } = input
  const { containers } = place
  const folders = containerFolders(containers.folder, delivery.agent.key)
  await fillHome(folders.home, delivery.agent.runtime, place.homeFolder, input.environment)
  const git = await gitPaths(cwd, place.worktree)
  const plan: ContainerPlan = {
    installation: containers.installation,
    agentKey: delivery.agent.key,
    runtime: delivery.agent.runtime,
    isolation,
    mounts: [
      { path: await realpath(folders.folder), writable: true },
      { path: place.mountFolder ?? cwd, writable: true },
      ...(await existing(keptFolders(input))).map((path) => ({ path, writable: true })),
      ...(await existing(git.readable)).map((path) => ({ path, writable: false })),
      ...(await existing(git.writable)).map((path) => ({ path, writable: true })),
      ...(await existing(git.fixed)).map((path) => ({ path, writable: false })),
    ],
    user: typeof process.getuid === 'function' ? `${process.getuid()}:${process.getgid?.() ?? 0}` : null,
  }
  const held = await containers.hold(plan, delivery.runId, signal)
  if ('problem' in held) return { refused: 'container', message: held.problem }
  const { engine, name } = held
  const shims = await writeShims(join(input.tmpDir, '..', 'shims'), engine, name)
  const environment = { ...input.environment, PATH: shims }
  const staged = await driver.prepare({ ...input, environment })
  if ('refused' in staged) return staged
  const inner = await handOver(staged, input, folders.run(delivery.runId))
  const { command } = inner
  const program = command.file.startsWith(`${shims}/`) ? basename(command.file) : command.file
  const outer = {
    cwd,
    home: folders.home,
    tmp: join(folders.run(delivery.runId), 'tmp'),
    names: [...Object.keys(command.env), ...delivery.agent.secretNames],
    argv: [program, ...command.args],
  }
  const prepared: Prepared = {
    ...inner,
    command: {
      ...command,
      file: engine.file,
      args: execArguments(name, outer),
      env: { ...command.env, ...engine.env },
    },
    shown: [engine.name, 'exec', name, '--', ...inner.shown],
  }
  const args = endInsideArguments(name, `BATON_RUN_ID=${delivery.runId}`)
  return { prepared, inside: { file: engine.file, args, env: engine.env, lastResort: ['kill', name] } }
}

/** What the agent keeps between its runs. */
function keptFolders({ agentFolder }: PrepareInput): string[] {
  return agentFolder ? [agentFolder] : []
}

async function existing(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    [...new Set(paths)].map(async (path) => ((await stat(path).catch(() => null)) ? path : null)),
  )
  return found.filter((path) => path !== null)
}
