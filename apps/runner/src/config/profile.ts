import { type MachineId, machineId } from '@baton/protocol'
import { z } from 'zod'
import type { ProfilePaths } from './paths.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

/** What one connection of this machine to one relay is. The machine key lies in a file of its own. */
export type Profile = { url: string; machineId: MachineId; machineName: string }

const profileSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'is not an address like https://relay.example.org' })
    .transform((url) => url.replace(/\/+$/, '')),
  machineId,
  machineName: z.string().min(1, 'is empty'),
})

/** Values read from a file of the configuration, or everything that is wrong with it, one sentence each. */
export type Read<T> = { ok: true; value: T } | { ok: false; problems: string[] }

export async function readProfile(paths: ProfilePaths): Promise<Read<Profile>> {
  const text = await readPrivateFile(paths.profileFile)
  if (text === null)
    return {
      ok: false,
      problems: [
        `there is no profile "${paths.profile}" (${paths.profileFile} is missing): connect this machine with "baton dev" or "baton up --server <url> --key-stdin"`,
      ],
    }
  return parseFile(paths.profileFile, text, profileSchema)
}

export async function writeProfile(paths: ProfilePaths, profile: Profile): Promise<void> {
  await writePrivateFile(paths.profileFile, `${JSON.stringify(profile, null, 2)}\n`, { durable: true })
}

/** The machine key. It is read again at each use, so that a rotated key works without a restart. */
export async function readMachineKey(paths: ProfilePaths): Promise<Read<string>> {
  const key = (await readPrivateFile(paths.keyFile))?.trim()
  if (key && /^sk_machine_\S+$/.test(key)) return { ok: true, value: key }
  const what = key === undefined ? 'is missing' : 'holds no machine key (sk_machine_…)'
  return {
    ok: false,
    problems: [`${paths.keyFile} ${what}: make a new key with "baton machine rotate-key" and store it there`],
  }
}

export async function writeMachineKey(paths: ProfilePaths, key: string): Promise<void> {
  await writePrivateFile(paths.keyFile, `${key}\n`, { durable: true })
}

/** Parses the JSON of a configuration file and names every field that is wrong. */
export function parseFile<T>(file: string, text: string, schema: z.ZodType<T>): Read<T> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { ok: false, problems: [`${file} is not JSON: ${(error as Error).message}`] }
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return { ok: true, value: parsed.data }
  return { ok: false, problems: parsed.error.issues.map((issue) => `${file}: ${describeIssue(issue)}`) }
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const where = issue.path.length > 0 ? ` in ${issue.path.join('.')}` : ''
    return issue.keys.map((key) => `unknown field "${key}"${where}`).join(', ')
  }
  return `${issue.path.join('.') || 'the file'}: ${issue.message}`
}
