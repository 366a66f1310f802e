import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** A process and when it began: together with the boot id this names it for ever, a bare pid does not. */
export type ProcessIdentity = { pid: number; startTime: string }

export type ProcessEntry = ProcessIdentity & { parent: number; group: number; session: number }

/** Every live process; ended ones that nobody has waited for (zombies) are left out. */
export function listProcesses(): ProcessEntry[] {
  if (process.platform !== 'linux') return listWithPs()
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name)
    return (Number.isInteger(pid) && readProcess(pid)) || []
  })
}

/** The live process with this pid, or null. `orZombie` also answers one that ended and was not waited for. */
export function readProcess(pid: number, { orZombie = false } = {}): ProcessEntry | null {
  if (process.platform !== 'linux') return listWithPs().find((one) => one.pid === pid) ?? null
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return null // it ended, which is what null says
  }
  // The name in parentheses may hold anything, so fields are counted from the last ")": state is field 3 of proc(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0] as string
  if (state === 'X' || (state === 'Z' && !orZombie)) return null
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    startTime: fields[19] as string,
  }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return readProcess(identity.pid)?.startTime === identity.startTime
}

/** Changes with every start of the machine. */
export function readBootId(): string {
  if (process.platform === 'linux') return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim()
}

function listWithPs(): ProcessEntry[] {
  const format = 'pid=,ppid=,pgid=,stat=,lstart='
  const text = execFileSync('ps', ['-A', '-o', format], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  return text.split('\n').flatMap((line) => {
    const [pid, parent, group, state, ...started] = line.trim().split(/\s+/)
    if (!pid || state?.startsWith('Z')) return []
    const startTime = started.join(' ')
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), session: 0, startTime }]
  })
}
