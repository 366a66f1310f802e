import { statfs } from 'node:fs/promises'
import type { MachineFacts, MachinePolicy, MachineStorage } from '@baton/protocol'
import { createPollLoop, type Logger, type Service } from '@baton/service'
import type { Policy } from './config/policy.ts'
import type { Read } from './config/profile.ts'
import { listWorktrees, type WorktreeFolders } from './workspaces/worktrees/worktree-record.ts'

const LOOK_EVERY_MS = 60_000
/** The disk is never quite the same twice: the relay hears of it when this part of it was filled or freed. */
const DISK_STEP = 0.02

type Options = {
  policy: () => Promise<Read<Policy>>
  worktrees: WorktreeFolders
  /** A folder on the disk that runs fill. */
  stateFolder: string
  onChange: () => Promise<void>
  logger: Logger
}

/** What this machine's policy allows, how many worktrees are kept on it and how full its disk is; looked at every minute. */
export async function createMachineFacts(options: Options): Promise<Service & { now(): MachineFacts }> {
  let known = await look()

  async function look(): Promise<MachineFacts> {
    const read = await options.policy()
    return { policy: read.ok ? toMachinePolicy(read.value) : null, storage: await measure(options) }
  }

  const loop = createPollLoop({
    everyMs: LOOK_EVERY_MS,
    async run() {
      const found = await look()
      if (!isOther(known, found)) return
      known = found
      await options.onChange()
    },
    onError: (error) => options.logger.warn({ error }, 'The disk of this machine could not be measured.'),
  })
  return { start: () => loop.start(), stop: () => loop.stop(), now: () => known }
}

function toMachinePolicy(policy: Policy): MachinePolicy {
  return {
    folders: fit(policy.folders),
    runtimes: policy.runtimes,
    permissionModes: policy.permissionModes,
    environment: fit(policy.environment),
    maxWallMs: policy.maxWallMs,
    repositories: fit(policy.repositories),
    approvals: policy.approvals,
    secrets: policy.secrets,
    publicModes: policy.public.permissionModes,
  }
}

const fit = (words: readonly string[]) => words.slice(0, 200).map((word) => word.slice(0, 1_000))

async function measure({ worktrees, stateFolder }: Options): Promise<MachineStorage | null> {
  const disk = await statfs(stateFolder).catch(() => null)
  if (disk === null) return null
  const kept = (await listWorktrees(worktrees)).filter(({ folder }) => folder !== null)
  return {
    worktrees: kept.length,
    freeBytes: disk.bavail * disk.bsize,
    totalBytes: disk.blocks * disk.bsize,
  }
}

function isOther(known: MachineFacts, found: MachineFacts): boolean {
  if (JSON.stringify(known.policy) !== JSON.stringify(found.policy)) return true
  if (known.storage === null || found.storage === null) return known.storage !== found.storage
  const moved = Math.abs(known.storage.freeBytes - found.storage.freeBytes)
  return known.storage.worktrees !== found.storage.worktrees || moved > DISK_STEP * found.storage.totalBytes
}
