import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { arch, hostname, platform, release } from 'node:os'
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
import { readBootId } from './processes/process-table.ts'
import { createLeases, type Leases } from './runs/leases.ts'
import { DEFAULT_OUTPUT_BOUNDS, type OutputBounds } from './runs/limit-output.ts'
import { createRunCalls } from './runs/run-calls.ts'
import type { RunContext } from './runs/run-context.ts'
import { createRuns, type LiveRun, type Runs } from './runs/runs.ts'
import { createSlots, type Slots } from './runs/slots.ts'
import { createStatusFile } from './status-file.ts'
import { version } from './version.ts'
import { removeOldScratch } from './workspaces/find-workspace.ts'
import { createWorkspaceTurns } from './workspaces/workspace-turns.ts'

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
    }),
    onHello(answer) {
      takeover = false
      runs.greeted(answer)
    },
    onPush(push) {
      credit.pushed(push.deliveries.length + push.unreadable.length)
      runs.receive(push)
      credit.offerFree()
    },
    freeSlots: () => credit.opened(),
    onState(state) {
      logger.info({ state: state.state, via: state.via }, state.sentence)
      status.changed()
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
    turns: createWorkspaceTurns(),
    workspacesFolder: paths.workspacesFolder,
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
      await status.start()
      connection.start()
      await leases.start()
      await knownRuntimes.start()
    },
    async stop() {
      await knownRuntimes.stop()
      if (options.endRunsOnStop) await runs.endAll()
      await runs.release()
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
