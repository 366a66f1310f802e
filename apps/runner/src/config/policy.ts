import { realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, sep } from 'node:path'
import { PERMISSION_MODES, RUNTIMES, STARTABLE_RUNTIMES } from '@baton/protocol'
import { z } from 'zod'
import { isolationPolicy } from './isolation-policy.ts'
import { readTextFile, writePrivateFile } from './private-file.ts'
import { parseFile, type Read } from './profile.ts'

const argv = z
  .array(z.string())
  .min(1, 'needs at least the path of an executable')
  .refine(
    (words) => words[0] === undefined || isAbsolute(words[0]),
    'the executable must be an absolute path',
  )
const command = z.union([
  argv.transform((words) => ({ argv: words, format: 'text' as const })),
  z.strictObject({ argv, format: z.enum(['text', 'stream-json', 'acp']).default('text') }),
])

const folders = z.array(
  z.string().refine((folder) => folder === '~' || folder.startsWith('~/') || isAbsolute(folder), {
    error: 'must be "~", start with "~/" or be absolute',
  }),
)
const environment = z.array(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is no name of an environment variable'),
)

const policySchema = z.strictObject({
  folders,
  commands: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9._-]*$/i, 'is no name of a command'), command)
    .default({}),
  runtimes: z.array(z.enum(RUNTIMES)),
  permissionModes: z.array(z.enum(PERMISSION_MODES)),
  environment: environment.default([]),
  maxWallMs: z.number().int().min(1_000).nullable().default(null),
  /** Servers that chat agents may call besides Anthropic, OpenAI and Google, as host or host:port. */
  chatHosts: z
    .array(z.string().regex(/^[a-z0-9.[\]:-]+$/, 'must be a host like models.example.com or localhost:11434'))
    .default([]),
  /** Addresses that worktrees may be made of, by their beginning; local folders are in `folders`. */
  repositories: z.array(z.string().min(8, 'give at least a host, like https://github.com/you/')).default([]),
  isolation: isolationPolicy.prefault({}),
  /** People may answer what agents ask beyond their permission mode, and allow-lists of the relay count. */
  approvals: z.boolean().default(true),
  /** Agents may be given secrets under any name; else only under those that `environment` names. */
  secrets: z.boolean().default(false),
  /** What runs that were started from outside the organization may have; `trustedJobs` ("*": all) are like a member's. */
  public: z
    .strictObject({
      permissionModes: z.array(z.enum(PERMISSION_MODES)).default(['read_only']),
      folders: folders.default([]),
      environment: environment.default([]),
      trustedJobs: z.array(z.string()).default([]),
    })
    .prefault({}),
})

/**
 * What the owner of this computer lets the relay ask for. Whatever is not named here is refused, also when the relay
 * itself was taken over: `commands` are the only executables of the `command` runtime, each a fixed argv.
 */
export type Policy = z.output<typeof policySchema>
export type PolicyCommand = Policy['commands'][string]

/** Unknown fields are refused, so that a misspelt limit is never taken for no limit. */
export function parsePolicy(file: string, text: string): Read<Policy> {
  return parseFile(file, text, policySchema)
}

export async function readPolicy(file: string): Promise<Read<Policy>> {
  const text = await readTextFile(file)
  if (text !== null) return parsePolicy(file, text)
  return { ok: false, problems: [`${file} is missing: "baton up" writes one with the defaults`] }
}

/** The policy of a machine whose owner has not written one: the home folder, no full permissions, no environment. */
export function defaultPolicy(commands: Record<string, PolicyCommand> = {}): Policy {
  return {
    folders: ['~'],
    commands,
    runtimes: [...STARTABLE_RUNTIMES],
    permissionModes: ['read_only', 'edit'],
    environment: [],
    maxWallMs: null,
    chatHosts: [],
    repositories: [],
    isolation: isolationPolicy.parse({}),
    approvals: true,
    secrets: false,
    public: { permissionModes: ['read_only'], folders: [], environment: [], trustedJobs: [] },
  }
}

/** Writes the default policy where there is none. Returns false and changes nothing when there is one already. */
export async function writeDefaultPolicy(
  file: string,
  commands: Record<string, PolicyCommand>,
): Promise<boolean> {
  if ((await readTextFile(file)) !== null) return false
  await writePrivateFile(file, `${JSON.stringify(defaultPolicy(commands), null, 2)}\n`)
  return true
}

/**
 * Whether the folder lies in one that the policy names. Links are followed on both sides before they are compared, so
 * a link inside an allowed folder does not lead out of it. A folder that does not exist yet is judged by its parent,
 * and one that cannot be resolved is not allowed.
 */
export async function isFolderAllowed(
  policy: Pick<Policy, 'folders'>,
  folder: string,
  homeFolder: string,
): Promise<boolean> {
  const real = await realFolder(folder)
  if (real === null) return false
  for (const allowed of policy.folders) {
    const root = await realFolder(allowed.startsWith('~') ? join(homeFolder, allowed.slice(1)) : allowed)
    if (root !== null && isWithin(root, real)) return true
  }
  return false
}

function isWithin(root: string, folder: string): boolean {
  return folder === root || folder.startsWith(root.endsWith(sep) ? root : root + sep)
}

async function realFolder(folder: string): Promise<string | null> {
  try {
    return await realpath(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) return null
    const parent = await realFolder(dirname(folder))
    return parent === null ? null : join(parent, basename(folder))
  }
}
