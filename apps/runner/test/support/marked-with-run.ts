import { readdirSync, readFileSync } from 'node:fs'

/** Every living process that carries the run's mark in its environment: its agent and whatever that started. */
export function markedWithRun(runId: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => environmentOf(pid).includes(`BATON_RUN_ID=${runId}\0`))
    .map(Number)
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return ''
  }
}
