import { type SpawnOptions, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'

/** One program to start, with what must stand in front of it. */
export interface Command {
  file: string
  args: string[]
  options: SpawnOptions
}

/** Under which identity Postgres runs; it refuses to run as root. */
export interface Confinement {
  /** For people: `direct`, `user namespace` or `uid 65534`. */
  how: string
  /** Set when Postgres runs as another user, who must be able to reach binaries and data. */
  account?: { uid: number; gid: number }
  /** A server that lives on is asked to stop by the kernel when this process dies, where that exists. */
  command(program: string, args: string[], lives: 'briefly' | 'on'): Command
}

const nobody = 65534
const namespace = ['unshare', '--user', `--map-user=${nobody}`, `--map-group=${nobody}`]

/**
 * A normal user runs Postgres as it is. Root, and a uid without a passwd entry (which Postgres cannot look
 * up), run it in a user namespace: files stay owned by the caller and nothing on the host changes. Where
 * namespaces are refused (containers), root steps down to `postgres` or `nobody`.
 */
export function chooseConfinement(): Confinement {
  const deathSignal = findDeathSignal()
  if (process.getuid?.() !== 0 && hasPasswdEntry()) {
    return {
      how: 'direct',
      command: (program, args, lives) => prefixed(onlyIf(lives, deathSignal), program, args),
    }
  }
  if (process.platform === 'linux' && succeeds([...namespace, 'true'])) {
    return {
      how: 'user namespace',
      command: (program, args, lives) =>
        prefixed([...namespace, ...onlyIf(lives, deathSignal)], program, args),
    }
  }
  return stepDown(deathSignal)
}

function stepDown(deathSignal: string[]): Confinement {
  const account = process.getuid?.() === 0 ? findUnprivilegedAccount() : undefined
  if (!account) {
    throw new Error(
      'Starting the embedded Postgres: it does not run as root or as a user without a passwd entry, this system ' +
        'refuses user namespaces, and there is no "postgres" or "nobody" account to step down to. ' +
        'Set DATABASE_URL to a Postgres of your own, or run as a normal user.',
    )
  }
  const { uid, gid } = account
  return {
    how: `uid ${uid}`,
    account,
    command: (program, args, lives) => {
      if (lives === 'briefly' || deathSignal.length === 0)
        return { file: program, args, options: { uid, gid } }
      // The kernel clears the death signal at a change of uid, so setpriv must do both, in its order.
      const identity = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
      return prefixed(['setpriv', ...identity, ...deathSignal.slice(1)], program, args)
    },
  }
}

/** SIGINT is Postgres' fast shutdown. Without it a killed owner leaves a server that the next start adopts. */
function findDeathSignal(): string[] {
  const here = process.platform === 'linux' && succeeds(['setpriv', '--pdeathsig', 'keep', 'true'])
  return here ? ['setpriv', '--pdeathsig', 'INT'] : []
}

function onlyIf(lives: 'briefly' | 'on', deathSignal: string[]): string[] {
  return lives === 'on' ? deathSignal : []
}

function prefixed(prefix: string[], program: string, args: string[]): Command {
  const [file = program, ...rest] = prefix
  return { file, args: prefix.length > 0 ? [...rest, program, ...args] : args, options: {} }
}

function succeeds([file = '', ...args]: string[]): boolean {
  return spawnSync(file, args, { stdio: 'ignore' }).status === 0
}

function hasPasswdEntry(): boolean {
  try {
    os.userInfo()
    return true
  } catch {
    return false
  }
}

function findUnprivilegedAccount(): { uid: number; gid: number } | undefined {
  const lines = fs.readFileSync('/etc/passwd', 'utf8').split('\n')
  const entries = lines.map((line) => line.split(':'))
  const entry = ['postgres', 'nobody'].map((name) => entries.find(([user]) => user === name)).find(Boolean)
  return entry && { uid: Number(entry[2]), gid: Number(entry[3]) }
}
