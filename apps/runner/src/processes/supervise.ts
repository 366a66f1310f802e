import { rmSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { claimAttempt } from './claim-attempt.ts'
import { type KeepOptions, keepAgent } from './keep-agent.ts'
import { enterRunCgroup } from './run-cgroup.ts'
import { putJson, runFiles } from './run-files.ts'
import { createExit, type Exit, type SpawnSpec } from './supervised-run.ts'

/** What a starting runner sends through the supervisor's stdin. */
export type SupervisorInput = { attempt: string; spec: SpawnSpec }

const EXIT_RESERVE_BYTES = 16 * 1024
const SPARE_BYTES = 1024 * 1024

/**
 * Keeps one agent: starts it, writes its raw output to the run's folder, does what the control log says, ends the
 * whole tree, and writes exit.json as the last thing. It knows nothing of the relay and shares nothing with the
 * runner that started it but the folder, so it goes on whatever happens to the runner.
 *
 * Resolves when all is written; the caller then ends the process. An attempt that an adopter already declared void
 * is not started. Rejects when the folder is missing.
 */
export async function supervise(runFolder: string, runId: string, options: KeepOptions = {}): Promise<void> {
  for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(name, () => {})
  const startedAt = Date.now()
  const withCgroup = options.traits?.includes('cgroup') ?? true
  const entering = withCgroup ? enterRunCgroup(runId) : null
  const input = await text(process.stdin)
  const cgroup = await entering
  try {
    if (input === '') return // dismissed
    // A runner that was killed while it wrote the start leaves half of it: then nothing is claimed and nothing runs.
    const { attempt, spec } = JSON.parse(input) as SupervisorInput
    if (!claimAttempt(runFolder, attempt)) return
    const exit = await withReserve(runFolder, () =>
      keepAgent({ runFolder, runId, spec, startedAt, cgroup, options }),
    )
    const files = runFiles(runFolder)
    rmSync(files.spare, { force: true })
    cgroup?.remove()
    putJson(files.exit, exit, { aside: files.exitReserve, durable: true })
  } finally {
    cgroup?.remove()
  }
}

/** Sets disk space aside for the end before the agent starts; whatever fails becomes the run's exit. */
async function withReserve(runFolder: string, keep: () => Promise<Exit>): Promise<Exit> {
  const files = runFiles(runFolder)
  try {
    writeFileSync(files.exitReserve, ' '.repeat(EXIT_RESERVE_BYTES), { mode: 0o600 })
    writeFileSync(files.spare, Buffer.alloc(SPARE_BYTES, 1), { mode: 0o600 })
    return await keep()
  } catch (error) {
    console.error(error) // supervisor.log
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC'
    const message = full
      ? 'The agent could not be started: the disk is full. Free some space, then run it again.'
      : `Keeping the agent failed: ${String(error)}. Please report it.`
    return createExit({ error: full ? 'disk_full' : 'internal', message })
  }
}
