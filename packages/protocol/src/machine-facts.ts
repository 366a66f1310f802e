import { z } from 'zod'
import { freeText } from './free-text.ts'
import { PERMISSION_MODES, RUNTIMES } from './runtimes.ts'

const shownList = z.array(freeText(1_000)).max(200)

/** What the owner of a machine lets the relay ask for there, as its policy file says it: names only, no argv, no value. */
export const machinePolicy = z.object({
  folders: shownList,
  runtimes: z.array(z.enum(RUNTIMES)),
  permissionModes: z.array(z.enum(PERMISSION_MODES)),
  /** Names of environment variables that agents may get. */
  environment: shownList,
  maxWallMs: z.number().nullable(),
  repositories: shownList,
  approvals: z.boolean(),
  secrets: z.boolean(),
  /** What runs that were started from outside the organization may do. */
  publicModes: z.array(z.enum(PERMISSION_MODES)),
})
export type MachinePolicy = z.infer<typeof machinePolicy>

/** What runs left on a machine, and the disk that it lies on. */
export const machineStorage = z.object({
  /** Git worktrees of runs whose folders are kept. */
  worktrees: z.number().int().nonnegative(),
  freeBytes: z.number().nonnegative(),
  totalBytes: z.number().nonnegative(),
})
export type MachineStorage = z.infer<typeof machineStorage>

/** What a runner says about its machine beside what is installed on it. Null: it could not be read. */
export const machineFacts = z.object({
  policy: machinePolicy.nullable(),
  storage: machineStorage.nullable(),
})
export type MachineFacts = z.infer<typeof machineFacts>
