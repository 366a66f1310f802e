import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { arch, hostname, platform, release } from 'node:os'
import { dirname, join } from 'node:path'
import { BatonError, MACHINE_SLOTS, PROTOCOL_VERSION } from '@baton/protocol'
import { createService, type Logger, type Service } from '@baton/service'
import { findInstallation } from './config/installation.ts'
import type { ProfilePaths } from './config/paths.ts'
import { readPolicy } from './config/policy.ts'
import { type Profile, readMachineKey } from './config/profile.ts'
import { type Connection, createConnection } from './connection/connection.ts'
import type { ConnectionState } from './connection/connection-state.ts'
import { openJournal } from './journal/open-journal.ts'
import { createKnownRuntimes } from './known-runtimes.ts'
import { createMachineFacts } from './machine-facts.ts'
import { createOrderRecords } from './outputs/order-records.ts'
import { createOrders, type Orders } from './outputs/orders.ts'
import { readBootId } from './processes/process-table.ts'
import { createLeases, type Leases } from './runs/leases.ts'
import { DEFAULT_OUTPUT_BOUNDS, type OutputBounds } from './runs/limit-output.ts'
import { createRunCalls } from './runs/run-calls.ts'
import type { RunContext } from './runs/run-context.ts'
import { createRuns, type LiveRun, type Runs } from './runs/runs.ts'
import { createSlots, type Slots } from './runs/slots.ts'
import { untilAnswered } from './runs/until-answered.ts'
import { createContainers } from './sandbox/containers.ts'
import { createStatusFile } from './status-file.ts'
import { version } from './version.ts'
import { createFolderWatching, type FolderWatching } from './watches/folder-watching.ts'
import { removeOldScratch } from './workspaces/find-workspace.ts'
import { createTending } from './workspaces/tend-workspaces.ts'
import { createUndoOrders, type UndoOrders } from './workspaces/undo/undo-orders.ts'
import { createWorkspaceTurns } from './workspaces/workspace-turns.ts'
import { createWorktrees } from './workspaces/worktrees/create-worktrees.ts'

export type RunnerOptions = {
  paths: ProfilePaths
  profile: Profile
  logger: Logger
  homeFolder: string
  /** What agents may get the allow-listed part of. */
  environment: Readonly<Record<string, string | undefined>>
  slots?: number
  /** Take the machine over from another live runner with the same key, once. */
  takeover?: boolean
  /** Stopping ends the agents too; else they run on under their supervisors and the next runner adopts them. */
  endRunsOnStop?: boolean
  bounds?: OutputBounds
}

export type RunnerStatus = {
  pid: number
  instanceId: string
  version: string
  profile: string
  url: string
  machineName: string
  slots: number
  connection: ConnectionState
  runs: LiveRun[]
}

export type Runner = Service & {
  status(): RunnerStatus
  /** Resolves when connected. */
  online(signal: AbortSignal): Promise<void>
  /** Settles when the relay refused this runner for good, or with null when it was stopped. */
  ended: Promise<BatonError | null>
}

/** An agent whose runner stays away is ended: soon when it belongs to a terminal, else after an hour. */
const ABANDON_AFTER_MS = { withRunner: 60_000, alone: 3_600_000 }

/**
 * The runner of one profile: custody of what it holds, the connection, and the runs. `start` resolves when everything
 * that an earlier runner left is taken up and connecting has begun. The caller holds the profile's lock.
 */
export async function createRunner(options: RunnerOptions): Promise<Runner> {
  const { paths, profile, logger } = options
  const slots = options.slots ?? MACHINE_SLOTS
  const instanceId = `${await findInstallation(paths)}.${randomBytes(8).toString('hex')}`
  const policy = () => readPolicy(paths.policyFile)
  const environment = options.environment
  const predecessorSeenAt = await stat(paths.statusFile).then(
    ({ mtimeMs }) => mtimeMs,
    () => null,
  )
  const journal = await openJournal(paths.journalFile)
  const knownRuntimes = await createKnownRuntimes(
    paths,
    policy,
    environment,
    () => connection.greetAgain(),
    logger,
  )
  const worktrees = createWorktrees(paths.worktreesFolder)
  const machineFacts = await createMachineFacts({
    policy,
    worktrees: worktrees.folders,
    stateFolder: paths.stateFolder,
    onChange: () => connection.greetAgain(),
    logger,
  })
  let takeover = options.takeover === true

  const connection: Connection = createConnection({
    relayUrl: profile.url,
    instanceId,
    readKey,
    hello: () => ({
      instanceId,
      bootId: readBootId(),
      protocolVersion: PROTOCOL_VERSION,
      runnerVersion: version,
      hostname: hostname(),
      os: `${platform()} ${release()}`.slice(0, 40),
      arch: arch(),
      slots,
      takeover,
      held: runs.held(),
      runtimes: knownRuntimes.now(),
      facts: machineFacts.now(),
    }),
    onHello(answer) {
      takeover = false
      runs.greeted(answer)
    },
    onPush(push) {
      credit.pushed(push.deliveries.length + push.unreadable.length)
      runs.receive(push)
      undos.receive(push.undos)
      orders.receive(push.orders)
      folders.receive(push.watches)
      credit.offerFree()
    },
    freeSlots: () => credit.opened(),
    watchesVersion: () => folders.version(),
    onState(state) {
      logger.info({ state: state.state, via: state.via }, state.sentence)
      status.changed()
      folders.wake()
    },
    random: Math.random,
  })
  const leases: Leases = createLeases({
    connection,
    held: () => runs.leases(),
    onAnswer: (answer) => runs.renewed(answer),
    logger,
    clock: { wallMs: () => Date.now(), monotonicMs: () => performance.now() },
    random: Math.random,
  })
  const context: RunContext = {
    policy,
    freshen: (runtime) => knownRuntimes.freshen(runtime),
    turns: createWorkspaceTurns(),
    workspacesFolder: paths.workspacesFolder,
    changesFolder: paths.changesFolder,
    worktrees,
    hidden: [dirname(paths.profileFile), paths.stateFolder, dirname(paths.workspacesFolder)],
    containers: createContainers(paths.containersFolder, instanceId.split('.')[0] ?? '', environment, logger),
    agentsFolder: paths.agentsFolder,
    runsFolder: paths.runsFolder,
    homeFolder: options.homeFolder,
    environment,
    calls: createRunCalls(connection),
    writes: {
      ready: (signal) => leases.ready(signal),
      onError: (error) => logger.error({ error }, 'The relay refused a call; it is repeated.'),
    },
    journal,
    logger,
    bounds: options.bounds ?? DEFAULT_OUTPUT_BOUNDS,
    abandonAfterMs: options.endRunsOnStop ? ABANDON_AFTER_MS.withRunner : ABANDON_AFTER_MS.alone,
    predecessorSeenAt,
  }
  const runs: Runs = createRuns(context, slots, () => {
    credit.offerFree()
    status.changed()
    folders.note(runs.live())
  })
  const orders: Orders = createOrders({
    policy,
    places: {
      homeFolder: options.homeFolder,
      workFolders: [paths.workspacesFolder, paths.worktreesFolder],
      ownFolders: [dirname(paths.profileFile), paths.stateFolder, dirname(paths.workspacesFolder)],
    },
    records: createOrderRecords(join(paths.stateFolder, 'orders')),
    report: (report) => connection.call('reportOrders', { orders: [report] }),
    writes: context.writes,
    logger,
  })
  const folders: FolderWatching = createFolderWatching({
    paths,
    policy,
    homeFolder: options.homeFolder,
    connection,
    logger,
  })
  const undos: UndoOrders = createUndoOrders({
    changesFolder: paths.changesFolder,
    worktrees: context.worktrees.folders,
    repositoryTurns: context.worktrees.turns,
    turns: context.turns,
    report: async (report, signal) => {
      await untilAnswered(context.writes, signal, () => connection.call('undone', { undos: [report] }))
    },
    logger,
  })
  const tending = createTending({
    worktrees: context.worktrees.folders,
    changesFolder: paths.changesFolder,
    containers: context.containers,
    held: () => new Set(runs.live().map(({ runId }) => runId)),
    logger,
  })
  const credit: Slots = createSlots(connection, () => runs.freeSlots(), logger)
  const status = createStatusFile(paths.statusFile, describe, logger)

  async function readKey(): Promise<string> {
    const key = await readMachineKey(paths)
    if (key.ok) return key.value
    throw new BatonError('unavailable', `The machine key cannot be read: ${key.problems.join('; ')}`)
  }

  function describe(): RunnerStatus {
    const { url, machineName } = profile
    const connectionNow = connection.state()
    return {
      pid: process.pid,
      instanceId,
      version,
      profile: paths.profile,
      url,
      machineName,
      slots,
      connection: connectionNow,
      runs: runs.live(),
    }
  }

  const service = createService({
    name: 'The runner',
    async start() {
      await removeOldScratch(paths.workspacesFolder, Date.now())
      await runs.restore()
      folders.resumed(runs.live())
      await tending.start()
      await orders.start()
      await status.start()
      await folders.start()
      connection.start()
      await leases.start()
      await knownRuntimes.start()
      await machineFacts.start()
    },
    async stop() {
      await machineFacts.stop()
      await knownRuntimes.stop()
      if (options.endRunsOnStop) await runs.endAll()
      await runs.release()
      await tending.stop()
      await undos.stop()
      await orders.stop()
      await folders.stop()
      await connection.stop(options.endRunsOnStop ? 'stopped' : 'restarting')
      await leases.stop()
      await journal.close()
      await status.stop()
    },
  })
  return {
    ...service,
    status: describe,
    online: (signal) => connection.online(signal),
    ended: connection.ended,
  }
}
