import { access, constants, stat, statfs } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname } from 'node:path'
import type { RuntimeProbe } from '@baton/protocol'
import type { ProfilePaths } from '../config/paths.ts'
import { type Policy, readPolicy } from '../config/policy.ts'
import { type Profile, readMachineKey, readProfile } from '../config/profile.ts'
import { findRunner } from '../config/runner-lock.ts'
import { findRelayUrl } from './connection.ts'
import { lookAtRelay } from './look-at-relay.ts'
import { printable } from './printable.ts'
import { readRunnerStatus } from './runner-status.ts'
import type { Session } from './session.ts'

export type Check = {
  name: string
  state: 'ok' | 'warning' | 'broken'
  what: string
  /** What to do; null when all is well. */
  unblock: string | null
}
export const ok = (name: string, what: string): Check => ({ name, state: 'ok', what, unblock: null })
export const warning = (name: string, what: string, unblock: string): Check => ({
  name,
  state: 'warning',
  what,
  unblock,
})
export const broken = (name: string, what: string, unblock: string): Check => ({
  name,
  state: 'broken',
  what,
  unblock,
})

const LOW_DISK_BYTES = 1024 ** 3

/** `baton doctor`: every part of the way, one line each. Exit 1 when something is broken. */
export async function examine(session: Session): Promise<number> {
  const paths = await session.paths()
  const [profile, key, policy] = await Promise.all([
    readProfile(paths),
    readMachineKey(paths),
    readPolicy(paths.policyFile),
  ])
  const here = profile.ok ? profile.value : null
  const url = await findRelayUrl(session.env, paths)
  const { lookAtIsolation } = await import('./look-at-isolation.ts')
  const [files, relay, runner, allowed, agents, isolation, disk] = await Promise.all([
    lookAtFiles(paths),
    lookAtRelay(session, url, key.ok ? key.value : null),
    lookAtRunner(paths, here),
    lookAtPolicy(paths, policy),
    lookAtAgents(policy.ok ? policy.value : undefined),
    lookAtIsolation(session.env),
    lookAtDisk(paths),
  ])
  const own = [lookAtNode(), ...files, disk]
  const checks = [
    ...own,
    ...relay,
    lookAtProfile(profile, key),
    ...runner,
    ...allowed,
    ...agents,
    ...isolation,
  ]
  const failed = checks.filter((check) => check.state === 'broken').length
  session.print({ ok: failed === 0, checks }, () => checks.map((check) => line(check, session)).join('\n'))
  return failed === 0 ? 0 : 1
}

function line({ state, name, what, unblock }: Check, { out }: Session): string {
  const mark = { ok: out('green', '✓'), warning: out('yellow', '!'), broken: out('red', '✕') }[state]
  return `${mark} ${name.padEnd(12)} ${printable(what)}${unblock ? `\n    ${out('dim', printable(unblock))}` : ''}`
}

function lookAtNode(): Check {
  const [major = 0] = process.versions.node.split('.').map(Number)
  if (major >= 24) return ok('node', process.version)
  return broken('node', `${process.version} is older than Baton needs.`, 'Install Node 24 or newer.')
}

/** Secrets that others can read, and folders that cannot be written. */
async function lookAtFiles(paths: ProfilePaths): Promise<Check[]> {
  const checks: Check[] = []
  for (const file of [paths.keyFile, paths.tokenFile, paths.profileFile]) {
    const found = await stat(file).catch(() => null)
    if (found && found.mode & 0o077)
      checks.push(
        broken('files', `${file} can be read by other users of this computer.`, `chmod 600 ${file}`),
      )
  }
  for (const folder of [dirname(paths.profileFile), paths.stateFolder, paths.workspacesFolder]) {
    const problem = await writableProblem(folder)
    if (problem)
      checks.push(broken('files', problem, 'Mend its owner or mode, or move everything with BATON_HOME.'))
  }
  return checks.length > 0 ? checks : [ok('files', `${dirname(paths.profileFile)}, ${paths.stateFolder}`)]
}

async function writableProblem(folder: string): Promise<string | null> {
  try {
    await access(await nearestFolder(folder), constants.W_OK)
    return null
  } catch (error) {
    return `${folder} cannot be written: ${(error as NodeJS.ErrnoException).code}.`
  }
}

/** The folder itself, or the first above it that exists: nothing is made just by looking. */
async function nearestFolder(folder: string): Promise<string> {
  const found = await stat(folder).catch(() => null)
  return found || dirname(folder) === folder ? folder : nearestFolder(dirname(folder))
}

type Read = { ok: true } | { ok: false; problems: string[] }

function lookAtProfile(profile: Read & { value?: Profile }, key: Read): Check {
  if (!profile.ok) return warning('machine', profile.problems.join('; '), FIRST_TIME)
  if (!key.ok) return broken('machine', key.problems.join('; '), FIRST_TIME)
  return ok('machine', `"${profile.value?.machineName}" at ${profile.value?.url}`)
}
const FIRST_TIME = 'To make this computer a machine: baton dev, or baton up --server <url> --key-stdin'

async function lookAtRunner(paths: ProfilePaths, here: Profile | null): Promise<Check[]> {
  const pid = await findRunner(paths.lockFile)
  if (pid === null) return here ? [broken('runner', 'It does not run.', 'baton up')] : []
  const status = await readRunnerStatus(paths)
  if (!status || status.pid !== pid)
    return [warning('runner', `Process ${pid} has not said how it is yet.`, `Look at ${paths.logFile}`)]
  if (status.connection.state === 'online')
    return [ok('runner', `process ${pid}. ${status.connection.sentence}`)]
  return [
    broken(
      'runner',
      `Process ${pid} is not connected: ${status.connection.sentence}`,
      `Look at ${paths.logFile}`,
    ),
  ]
}

async function lookAtPolicy(
  paths: ProfilePaths,
  policy: { ok: true; value: Policy } | { ok: false; problems: string[] },
): Promise<Check[]> {
  if (!policy.ok)
    return [
      warning('policy', policy.problems.join('; '), 'Until it is right, this machine refuses all work.'),
    ]
  const checks: Check[] = []
  for (const folder of policy.value.folders) {
    const at = folder.replace(/^~/, homedir())
    const problem = await access(at, constants.W_OK).then(
      () => null,
      (error: NodeJS.ErrnoException) => error.code,
    )
    if (problem)
      checks.push(
        warning(
          'folders',
          `${folder} cannot be written: ${problem}.`,
          `Mend it, or take it out of "folders" in ${paths.policyFile}`,
        ),
      )
  }
  const { folders, commands } = policy.value
  for (const [name, { argv }] of Object.entries(commands)) {
    const missing = await access(argv[0] ?? '', constants.X_OK).then(
      () => false,
      () => true,
    )
    if (missing)
      checks.push(
        broken(
          'commands',
          `The command "${name}" is missing or not executable: ${argv[0]}`,
          `Mend it in ${paths.policyFile}`,
        ),
      )
  }
  return [
    ok(
      'policy',
      `folders ${folders.join(', ') || 'none'}; commands ${Object.keys(commands).join(', ') || 'none'}`,
    ),
    ...checks,
  ]
}

async function lookAtAgents(policy: Policy | undefined): Promise<Check[]> {
  const { detectRuntimes } = await import('../agents/detect-runtimes.ts')
  const found = await detectRuntimes(policy ? { policy } : {})
  const clis = found.filter((one) => one.installed && !['acp', 'chat', 'command'].includes(one.runtime))
  if (clis.length === 0)
    return [
      warning(
        'agents',
        'No agent CLI was found on the PATH.',
        'Install one, such as Claude Code; the demo agent works without.',
      ),
    ]
  const chat = found.filter((one) => one.runtime === 'chat' && one.signedIn === 'yes')
  return [...clis, ...chat].map(lookAtCli)
}

function lookAtCli({ runtime, version, signedIn, detail, capabilities }: RuntimeProbe): Check {
  const can = capabilities.length > 0 ? `; can ${capabilities.join(', ')}` : ''
  if (signedIn === 'yes') return ok(runtime, `${version ?? 'installed'}, signed in${can}`)
  return warning(
    runtime,
    `${version ?? 'installed'}, ${signedIn === 'no' ? 'not signed in' : 'could not be asked'}.`,
    detail,
  )
}

async function lookAtDisk({ stateFolder }: ProfilePaths): Promise<Check> {
  const { bavail, bsize } = await statfs(await nearestFolder(stateFolder))
  const free = bavail * bsize
  const shown = `${(free / 1024 ** 3).toFixed(1)} GiB free`
  return free > LOW_DISK_BYTES
    ? ok('disk', shown)
    : broken('disk', shown, 'Free some space: transcripts and results wait on this disk.')
}
