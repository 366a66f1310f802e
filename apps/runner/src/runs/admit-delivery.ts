import { statfs } from 'node:fs/promises'
import type { ErrorKind, PushedDelivery, Runtime } from '@baton/protocol'
import { driverFor } from '../agents/driver-for.ts'
import type { AgentFolder } from '../agents/profile/agent-folder.ts'
import { leastPower } from '../agents/profile/least-power.ts'
import { maySeeSecret } from '../agents/profile/may-see-secret.ts'
import { goOnWith } from '../agents/profile/run-prompt.ts'
import { withProfile } from '../agents/profile/with-profile.ts'
import type { Prepared, PrepareInput, Refused, RuntimeDriver } from '../agents/runtime.ts'
import { isolationProblem } from '../config/isolation-policy.ts'
import type { Policy } from '../config/policy.ts'
import type { Read } from '../config/profile.ts'
import type { Containers } from '../sandbox/containers.ts'
import { type Isolated, prepareIsolated } from '../sandbox/isolate.ts'
import type { WorkspaceTurns } from '../workspaces/workspace-turns.ts'
import type { WantedWorktree } from '../workspaces/worktrees/create-worktree.ts'
import type { RepositoryCache } from '../workspaces/worktrees/repository-cache.ts'
import type { RepositoryTurns } from '../workspaces/worktrees/repository-turns.ts'
import type { WorktreeFolders, WorktreeRecord } from '../workspaces/worktrees/worktree-record.ts'
import { findPlace } from './find-place.ts'
import { later, list, never } from './refusals.ts'
import { makeRunFolder, runFolderFiles } from './run-folder.ts'

/** Everything that is needed to start the agent. The workspace's turn is taken. */
export type Admitted = {
  cwd: string
  /** To be made before the start. */
  worktree: WantedWorktree | null
  driver: RuntimeDriver
  /** How the agent is started; null where a worktree or a container has to be made first. */
  prepared: Prepared | null
  prepare(worktree: WorktreeRecord | null, signal: AbortSignal): Promise<Isolated | Refused>
  policy: Policy
  /** As this machine carries it out: with the rights, the prompt and the instructions that the agent really gets. */
  delivery: PushedDelivery
  /** What the transcript says about that. */
  notes: string[]
  /** What the agent keeps between its runs; null for work that may not touch it. */
  keeps: AgentFolder | null
}
/** `final`: it can never be taken as it stands; else it can be sent again after `retryAfterMs`. */
export type Refusal = { errorKind: ErrorKind; message: string; final: boolean; retryAfterMs: number }

export type AdmitDependencies = {
  policy(): Promise<Read<Policy>>
  /** Asks the runtime's program again when it is another one than was asked. */
  freshen?(runtime: Runtime): Promise<void>
  turns: WorkspaceTurns
  workspacesFolder: string
  agentsFolder: string
  runsFolder: string
  changesFolder: string
  worktrees: { folders: WorktreeFolders; repositories: RepositoryCache; turns: RepositoryTurns }
  /** Folders of Baton's own that no sandboxed agent sees. */
  hidden: readonly string[]
  containers: Containers
  homeFolder: string
  environment: Readonly<Record<string, string | undefined>>
}

const PREPARE_MS = 60_000
const BUSY_RETRY_MS = 2_000
/** Below this much free space nothing new is taken: the run's own files might not fit. */
const SPARE_DISK_BYTES = 256 * 1024 * 1024
const DISK_RETRY_MS = 60_000

/**
 * Whether this machine may and can carry the delivery out: its owner's policy first, then the workspace, then the agent.
 * Whatever the relay sends, only what the policy names is ever started.
 */
export async function admitDelivery(
  dependencies: AdmitDependencies,
  pushed: PushedDelivery,
  folder: string,
): Promise<Admitted | Refusal> {
  const read = await dependencies.policy()
  if (!read.ok)
    return never('policy', `The policy of this machine cannot be read: ${read.problems.join('; ')}.`)
  const policy = read.value
  const power = leastPower(pushed, policy)
  const { delivery } = power
  const driver = checkAgent(delivery, policy)
  if ('errorKind' in driver) return driver
  await dependencies.freshen?.(delivery.agent.runtime)

  const sandbox = isolationProblem(policy.isolation, delivery.agent.isolation, delivery.trust)
  if (sandbox) return never('policy', sandbox)
  const place = await findPlace(
    { ...dependencies, worktrees: dependencies.worktrees.folders },
    delivery,
    policy,
  )
  if ('errorKind' in place) return place

  if (await isDiskFull(dependencies.runsFolder))
    return later(
      'disk_full',
      `The disk of this machine is nearly full: free some space for ${dependencies.runsFolder}.`,
      DISK_RETRY_MS,
    )
  const holder = place.isAlone ? null : dependencies.turns.take(place.cwd, delivery.runId)
  if (holder)
    return later(
      'workspace',
      `The workspace ${place.cwd} is in use by ${holder}; one run at a time works in it.`,
      BUSY_RETRY_MS,
    )

  await makeRunFolder(folder, pushed)
  const goesOn = goOnWith(delivery, place.cwd)
  const profiled = await withProfile(goesOn.delivery, dependencies.agentsFolder)
  const { tmp, event } = runFolderFiles(folder)
  const input: PrepareInput = {
    delivery: profiled.delivery,
    cwd: place.cwd,
    tmpDir: tmp,
    eventFile: event,
    policy: { ...policy, environment: power.environment },
    agentFolder: profiled.keeps?.folder ?? null,
    environment: dependencies.environment,
  }
  const { mountFolder } = place
  const prepare: Admitted['prepare'] = (worktree, signal) =>
    prepareIsolated(driver, input, { ...dependencies, worktree, mountFolder }, signal)
  const isLater = place.worktree !== null || delivery.agent.isolation.kind === 'container'
  const isolated = isLater ? null : await prepare(null, AbortSignal.timeout(PREPARE_MS))
  if (isolated && 'refused' in isolated) return never(isolated.refused, isolated.message)
  return {
    cwd: place.cwd,
    worktree: place.worktree,
    driver,
    prepare,
    prepared: isolated?.prepared ?? null,
    policy,
    ...profiled,
    notes: [...power.limited, goesOn.note].filter((note) => note !== null),
  }
}

function checkAgent({ agent, trust }: PushedDelivery, policy: Policy): RuntimeDriver | Refusal {
  if (!policy.runtimes.includes(agent.runtime))
    return never(
      'policy',
      `This machine's policy allows no ${agent.runtime} agents (allowed: ${list(policy.runtimes)}).`,
    )
  const missing = agent.secretNames.filter((name) => !maySeeSecret(policy, name))
  if (missing.length > 0)
    return never(
      'policy',
      `This machine's policy does not let its agents have the secrets ${list(missing)}. Name them under "environment" in its policy file, or set "secrets": true there.`,
    )
  // Only reading is less than any mode that a policy could ask for instead.
  const isLeast = trust === 'public' && agent.permissionMode === 'read_only'
  if (!isLeast && !policy.permissionModes.includes(agent.permissionMode))
    return never(
      'policy',
      `This machine's policy does not allow the permission mode "${agent.permissionMode}" (allowed: ${list(policy.permissionModes)}).`,
    )
  const driver = driverFor(agent.runtime)
  return driver ?? never('agent_missing', `The runner on this machine cannot start ${agent.runtime} agents.`)
}

async function isDiskFull(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize < SPARE_DISK_BYTES
}
