import fs from 'node:fs'

/** The environment variable that processes started by a test file inherit. */
export const mark = 'BATON_TEST_MARK'

export interface MarkedProcess {
  pid: number
  command: string
}

/**
 * Every living process that was started with `token` in its mark, whoever its parent is now. Empty where there is no
 * /proc. A process whose starter emptied its environment is not seen.
 */
export function listMarkedProcesses(token: string): MarkedProcess[] {
  if (!fs.existsSync('/proc/self/environ')) return []
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids
    .filter((pid) => isMarked(pid, token))
    .map((pid) => ({ pid: Number(pid), command: commandOf(pid) }))
}

/** A zombie's environment is empty, so one that only waits for its parent to look is not counted. */
function isMarked(pid: string, token: string): boolean {
  return read(`/proc/${pid}/environ`).includes(`${mark}=${token}`)
}

function commandOf(pid: string): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, 200)
}

/** Empty when the process is gone or belongs to somebody else. */
function read(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
