import { readdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { batonFolders, isProfileName, type ProfilePaths, profilePaths } from '../config/paths.ts'
import { readProfile } from '../config/profile.ts'
import { findRunner } from '../config/runner-lock.ts'
import { printable } from './printable.ts'
import { readRunnerStatus } from './runner-status.ts'
import type { Session } from './session.ts'
import { table } from './text.ts'

type ListedProfile = {
  profile: string
  /** What commands use without --profile. */
  isChosen: boolean
  url: string | null
  machine: { id: string; name: string } | null
  runner: { pid: number; state: string | null; sentence: string } | null
  /** What is wrong with its file. */
  problems: string[]
}

/** `baton profile list`: what this computer is connected to. Nobody is asked, so a relay that is away changes nothing. */
export async function listProfiles(session: Session): Promise<void> {
  const folders = batonFolders(session.env, homedir())
  const chosen = (await session.paths()).profile
  const names = await profileNames(join(folders.config, 'profiles'))
  const items = await Promise.all(names.map((name) => lookAt(profilePaths(folders, name), chosen)))
  session.print({ items }, () =>
    table(
      ['', 'profile', 'relay', 'machine', 'runner'],
      items.map((one) => [
        one.isChosen ? session.out('green', '●') : '',
        one.profile,
        one.url === null ? session.out('red', '✕') : printable(one.url),
        printable(one.machine?.name ?? one.problems.join('; ')),
        one.runner ? `${one.runner.pid}. ${printable(one.runner.sentence)}` : 'does not run',
      ]),
      session.out,
    ),
  )
  if (items.length === 0)
    session.note(
      'This computer is no machine of a relay: connect it with "baton dev" or "baton up --server <url> --key-stdin".',
    )
  else if (!items.some((one) => one.isChosen))
    session.note(`There is no profile "${chosen}", which commands use without --profile.`)
}

/** Beside each `<profile>.json` lies a `<profile>.policy.json`. */
async function profileNames(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return files
    .filter((file) => file.endsWith('.json') && !file.endsWith('.policy.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .filter(isProfileName)
    .toSorted()
}

async function lookAt(paths: ProfilePaths, chosen: string): Promise<ListedProfile> {
  const read = await readProfile(paths)
  const pid = await findRunner(paths.lockFile)
  const said = pid === null ? null : await readRunnerStatus(paths)
  return {
    profile: paths.profile,
    isChosen: paths.profile === chosen,
    url: read.ok ? read.value.url : null,
    machine: read.ok ? { id: read.value.machineId, name: read.value.machineName } : null,
    runner:
      pid === null
        ? null
        : {
            pid,
            state: said?.connection.state ?? null,
            sentence: said?.connection.sentence ?? 'It has not said how it is yet.',
          },
    problems: read.ok ? [] : read.problems,
  }
}
