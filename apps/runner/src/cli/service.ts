import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { BatonError } from '@baton/protocol'
import type { ProfilePaths } from '../config/paths.ts'
import { readTextFile } from '../config/private-file.ts'
import { findRunner } from '../config/runner-lock.ts'
import { entryFile } from '../entry.ts'
import { stopRunnerProcess } from './runner-process.ts'
import { readRunnerStatus } from './runner-status.ts'
import { launchdLabel, launchdPlist, type ServiceSpec, serviceName, systemdUnit } from './service-unit.ts'
import type { Session } from './session.ts'
import { assertEnrolled } from './up.ts'

const STOP_WITHIN_MS = 20_000
const CONNECTED_WITHIN_MS = 20_000
const CALL_WITHIN_MS = 30_000

/** A manager of services of this user: where it reads units, and its own words for what is done here. */
type Manager = {
  file: string
  text: string
  /** Ends one of the same name; there may be none. */
  clear: string[][]
  start: string[][]
  stop: string[][]
  forget: string[][]
}

/** `baton service install`: a runner that was started by hand is stopped first; its agents go on under the new one. */
export async function installService(session: Session): Promise<void> {
  const paths = await session.paths()
  await assertEnrolled(paths)
  const manager = managerOf(session.env, paths.profile)
  await mkdir(dirname(manager.file), { recursive: true })
  await writeFile(manager.file, manager.text)
  await stopRunnerProcess(paths, STOP_WITHIN_MS)
  for (const words of manager.clear) await call(session, words).catch(() => '')
  for (const words of manager.start) await call(session, words)
  const { pid, sentence } = await untilConnected(paths)
  session.print(
    { file: manager.file, pid, sentence },
    () => `The runner runs as a service, as process ${pid}. ${sentence}`,
  )
  session.note(`${manager.file} says how. "baton down" stops it until the next start of this computer.`)
  await noteLingering(session)
}

export async function uninstallService(session: Session): Promise<void> {
  const paths = await session.paths()
  const manager = managerOf(session.env, paths.profile)
  const isThere = (await readTextFile(manager.file)) !== null
  if (isThere) {
    for (const words of manager.stop) await call(session, words)
    await rm(manager.file)
    for (const words of manager.forget) await call(session, words)
  }
  session.print({ uninstalled: isThere, file: manager.file }, () =>
    isThere ? 'The service is gone, and the runner is stopped.' : 'There was no service of this profile.',
  )
}

export async function printService(session: Session): Promise<void> {
  const { profile } = await session.paths()
  const { file, text } = managerOf(session.env, profile)
  session.print({ file, text }, () => text.trimEnd())
}

function managerOf(env: NodeJS.ProcessEnv, profile: string): Manager {
  const spec: ServiceSpec = {
    profile,
    node: process.execPath,
    entry: entryFile,
    path: env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    environment: Object.fromEntries(
      FOLDER_NAMES.flatMap((name) => (env[name] ? [[name, env[name]] as const] : [])),
    ),
  }
  if (process.platform === 'linux') return systemd(env, spec)
  if (process.platform === 'darwin') return launchd(spec)
  throw new BatonError(
    'bad_input',
    `Baton makes services for systemd and launchd only, not for ${process.platform}: let your own service manager run "baton up --foreground".`,
  )
}
const FOLDER_NAMES = ['BATON_HOME', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'XDG_DATA_HOME', 'XDG_CACHE_HOME']

function systemd(env: NodeJS.ProcessEnv, spec: ServiceSpec): Manager {
  const unit = `${serviceName(spec.profile)}.service`
  const own = (...words: string[]) => ['systemctl', '--user', ...words]
  return {
    file: join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'systemd/user', unit),
    text: systemdUnit(spec),
    clear: [],
    start: [own('daemon-reload'), own('enable', unit), own('restart', unit)],
    stop: [own('disable', '--now', unit)],
    forget: [own('daemon-reload')],
  }
}

function launchd(spec: ServiceSpec): Manager {
  const label = launchdLabel(spec.profile)
  const file = join(homedir(), 'Library/LaunchAgents', `${label}.plist`)
  const domain = `gui/${userInfo().uid}`
  return {
    file,
    text: launchdPlist(spec),
    clear: [['launchctl', 'bootout', `${domain}/${label}`]],
    start: [
      ['launchctl', 'bootstrap', domain, file],
      ['launchctl', 'kickstart', `${domain}/${label}`],
    ],
    stop: [['launchctl', 'bootout', `${domain}/${label}`]],
    forget: [],
  }
}

async function call({ env }: Session, [file = '', ...args]: string[]): Promise<string> {
  try {
    return (await promisify(execFile)(file, args, { env, timeout: CALL_WITHIN_MS })).stdout
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    throw new BatonError(
      'unavailable',
      `${[file, ...args].join(' ')}: ${stderr?.trim() || message}. The service manager of this user must run; "baton service print" gives the text for another one.`,
      { cause: error },
    )
  }
}

async function untilConnected(paths: ProfilePaths): Promise<{ pid: number; sentence: string }> {
  for (const until = Date.now() + CONNECTED_WITHIN_MS; ; await sleep(100)) {
    const pid = await findRunner(paths.lockFile)
    const status = pid === null ? null : await readRunnerStatus(paths)
    if (pid !== null && status?.pid === pid && status.connection.state === 'online')
      return { pid, sentence: status.connection.sentence }
    if (Date.now() < until) continue
    if (pid !== null)
      return { pid, sentence: status?.connection.sentence ?? 'It has not said how it is yet.' }
    throw new BatonError(
      'unavailable',
      `The service was started, and no runner runs after ${CONNECTED_WITHIN_MS / 1000} s. Look at ${paths.logFile}, and at what the service manager says.`,
    )
  }
}

/** Without lingering systemd starts a user's services when that user signs in, and ends them afterwards. */
async function noteLingering(session: Session): Promise<void> {
  if (process.platform !== 'linux') return
  const { username } = userInfo()
  const said = await call(session, ['loginctl', 'show-user', username, '--property=Linger']).catch(() => '')
  if (said.trim() === 'Linger=yes') return
  session.note(
    `It starts when ${username} signs in. To start it with the computer: loginctl enable-linger ${username}`,
  )
}
