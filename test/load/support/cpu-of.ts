import { readdirSync, readFileSync } from 'node:fs'

const TICK_MS = 10

/** CPU time that a process has used so far, in ms; 0 where there is no /proc. */
export function cpuOf(pid: number): number {
  const fields = statOf(pid)
  return fields ? (Number(fields[11]) + Number(fields[12])) * TICK_MS : 0
}

/** The same for a process and everything below it, with the children that it has already waited for. */
export function cpuOfTree(root: number): number {
  const parents = new Map(listProcesses().map((pid) => [pid, Number(statOf(pid)?.[1] ?? 0)]))
  const isBelow = (pid: number): boolean => pid === root || (pid > 1 && isBelow(parents.get(pid) ?? 0))
  const own = [...parents.keys()].filter(isBelow).reduce((sum, pid) => sum + cpuOf(pid), 0)
  const fields = statOf(root)
  return own + (fields ? (Number(fields[13]) + Number(fields[14])) * TICK_MS : 0)
}

/** Resident memory of a process now, in KB; 0 where there is no /proc. */
export function residentKb(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** Of /proc/<pid>/stat everything after the name, which may hold spaces: state, parent, … */
function statOf(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}

function listProcesses(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

export const parentOf = (pid: number): number => Number(statOf(pid)?.[1] ?? 0)
