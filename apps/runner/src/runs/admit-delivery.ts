import { statfs } from 'node:fs/promises'
import type { ErrorKind, PushedDelivery } from '@baton/protocol'
import { driverFor } from '../agents/driver-for.ts'
import type { Prepared, RuntimeDriver } from '../agents/runtime.ts'
import { isFolderAllowed, type Policy } from '../config/policy.ts'
import type { Read } from '../config/profile.ts'
import { findWorkspace } from '../workspaces/find-workspace.ts'
import type { WorkspaceTurns } from '../workspaces/workspace-turns.ts'
import { makeRunFolder, runFolderFiles } from './run-folder.ts'

/** Everything that is needed to start the agent. The workspace's turn is taken. */
export type Admitted = { cwd: string; driver: RuntimeDriver; prepared: Prepared; policy: Policy }
/** `final`: it can never be taken as it stands; else it can be sent again after `retryAfterMs`. */
export type Refusal = { errorKind: ErrorKind; message: string; final: boolean; retryAfterMs: number }

export type AdmitDependencies = {
  policy(): Promise<Read<Policy>>
  turns: WorkspaceTurns
  workspacesFolder: string
  runsFolder: string
  homeFolder: string
  environment: Readonly<Record<string, string | undefined>>
}

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
  delivery: PushedDelivery,
  folder: string,
): Promise<Admitted | Refusal> {
  const read = await dependencies.policy()
  if (!read.ok)
    return never('policy', `The policy of this machine cannot be read: ${read.problems.join('; ')}.`)
  const policy = read.value
  const driver = checkAgent(delivery, policy)
  if ('errorKind' in driver) return driver

  const workspace = await findWorkspace(
    {
      path: delivery.workspace.path,
      scratchFor: delivery.workspace.scratch ? delivery.runId : null,
      agentKey: delivery.agent.key,
      mustWrite: delivery.agent.permissionMode !== 'read_only',
    },
    { workspaces: dependencies.workspacesFolder, home: dependencies.homeFolder },
  )
  if ('problem' in workspace) return never('workspace', workspace.problem)
  if (!workspace.own && !(await isFolderAllowed(policy, workspace.folder, dependencies.homeFolder)))
    return never(
      'policy',
      `This machine's policy allows no runs in ${workspace.folder} (allowed: ${list(policy.folders)}).`,
    )

  if (await isDiskFull(dependencies.runsFolder))
    return later(
      'disk_full',
      `The disk of this machine is nearly full: free some space for ${dependencies.runsFolder}.`,
      DISK_RETRY_MS,
    )
  const holder = dependencies.turns.take(workspace.folder, delivery.runId)
  if (holder)
    return later(
      'workspace',
      `The workspace ${workspace.folder} is in use by ${holder}; one run at a time works in it.`,
      BUSY_RETRY_MS,
    )

  await makeRunFolder(folder, delivery)
  const { tmp, event } = runFolderFiles(folder)
  const prepared = await driver.prepare({
    delivery,
    cwd: workspace.folder,
    tmpDir: tmp,
    eventFile: event,
    policy,
    environment: dependencies.environment,
  })
  if ('refused' in prepared) return never(prepared.refused, prepared.message)
  return { cwd: workspace.folder, driver, prepared, policy }
}

function checkAgent({ agent }: PushedDelivery, policy: Policy): RuntimeDriver | Refusal {
  if (!policy.runtimes.includes(agent.runtime))
    return never(
      'policy',
      `This machine's policy allows no ${agent.runtime} agents (allowed: ${list(policy.runtimes)}).`,
    )
  if (!policy.permissionModes.includes(agent.permissionMode))
    return never(
      'policy',
      `This machine's policy does not allow the permission mode "${agent.permissionMode}" (allowed: ${list(policy.permissionModes)}).`,
    )
  const driver = driverFor(agent.runtime)
  return driver ?? never('agent_missing', `The runner on this machine cannot start ${agent.runtime} agents.`)
}

function never(errorKind: ErrorKind, message: string): Refusal {
  return { errorKind, message: message.slice(0, 2_000), final: true, retryAfterMs: 0 }
}

function later(errorKind: ErrorKind, message: string, retryAfterMs: number): Refusal {
  return { errorKind, message, final: false, retryAfterMs }
}

async function isDiskFull(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize < SPARE_DISK_BYTES
}

function list(words: readonly string[]): string {
  return words.length > 0 ? words.join(', ') : 'none'
}
