import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { SpawnSpec } from '../../src/processes/supervised-run.ts'
import { fixture } from './kit.ts'

export type RunnerWork = { folder: string; runId: string; spec?: SpawnSpec; entry?: string; mutant?: string }

/**
 * A runner as a process of its own, to be killed: starts the run, or adopts it when there is no `spec`, and moves its
 * output into the outbox of the run's folder.
 */
export function startRunner(work: RunnerWork) {
  const child = spawn(process.execPath, [fixture('runner.ts')], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(work))
  const exited = once(child, 'exit')
  return {
    /** The run is started or adopted. */
    reading: once(child.stdout, 'data'),
    exited: exited.then(([code]) => code as number | null),
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
