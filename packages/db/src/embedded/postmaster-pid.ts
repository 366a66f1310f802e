import fs from 'node:fs'
import path from 'node:path'
import { canConnect } from './ports.ts'

export interface RunningServer {
  pid: number
  port: number
}

/** The server that uses this data folder and accepts connections, if there is one. */
export async function findRunningServer(dir: string): Promise<RunningServer | undefined> {
  const found = readPostmasterPid(dir)
  if (!found?.ready || !isAlive(found.pid) || !(await canConnect(found.port))) return undefined
  return { pid: found.pid, port: found.port }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Line 1 is the pid, line 4 the port, line 8 the state; the file is written bit by bit. */
function readPostmasterPid(dir: string): (RunningServer & { ready: boolean }) | undefined {
  let text: string
  try {
    text = fs.readFileSync(path.join(dir, 'postmaster.pid'), 'utf8')
  } catch {
    return undefined
  }
  const lines = text.split('\n')
  return { pid: Number(lines[0]), port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' }
}
