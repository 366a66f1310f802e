import { randomUUID } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { execa } from 'execa'
import { attachRun, startFailed } from './attach-run.ts'
import { watchFolder } from './folder-watch.ts'
import { RUN_MARK } from './process-tree.ts'
import { readJson, runFiles, type SupervisorRecord } from './run-files.ts'
import type { SupervisorInput } from './supervise.ts'
import type { Exit, SpawnSpec, StartRefused, SupervisedRun } from './supervised-run.ts'

export type StartOptions = {
  /** The script that answers `supervise <runFolder> <runId>`; by default BATON_ENTRY, else the one beside this code. */
  entry?: string
}

/**
 * Starts an agent under a supervisor of its own and resolves when the agent runs, or when it is certain that it never
 * did (with the reason). The run's folder may exist; it must not hold a started run. The mark BATON_RUN_ID is added to
 * the agent's environment. Throws an `internal` BatonError when the supervisor itself could not be started.
 */
export async function startSupervised(
  runFolder: string,
  runId: string,
  spec: SpawnSpec,
  options: StartOptions = {},
): Promise<SupervisedRun | StartRefused> {
  const files = runFiles(runFolder)
  await mkdir(runFolder, { recursive: true, mode: 0o700 })
  if (readJson<SupervisorRecord>(files.supervisor)?.agent) throw startFailed('this run was started before')
  await Promise.all(
    [files.supervisor, files.exit, files.exitReserve].map((path) => rm(path, { force: true })),
  )
  const attempt = randomUUID()
  await writeFile(files.control, `${JSON.stringify({ attempt })}\n`, { mode: 0o600 })

  const watch = watchFolder(
    runFolder,
    (name) => name === basename(files.supervisor) || name === basename(files.exit),
  )
  const supervisor = spawnSupervisor(runFolder, runId, options.entry ?? defaultEntry())
  try {
    await makePipes(runFolder)
    const input: SupervisorInput = { attempt, spec }
    supervisor.stdin.on('error', () => {}) // it ended: told below
    supervisor.stdin.end(JSON.stringify(input))
    let ended = false
    const gone = supervisor.then(() => {
      ended = true
      watch.close()
    })
    void gone
    for (;;) {
      const seen = watch.version
      const wasEnded = ended
      const exit = readJson<Exit>(files.exit)
      const record = readJson<SupervisorRecord>(files.supervisor)
      if (record?.agent) return await attachRun(runFolder, runId, { ...record, agent: record.agent })
      if (exit?.error) return { refused: exit.error, message: exit.message ?? '' }
      if (wasEnded) throw startFailed('its supervisor ended at once', await readFile(files.log, 'utf8'))
      await watch.after(seen)
    }
  } finally {
    watch.close()
  }
}

/** Detached, with its own session and no share in this process but the stdin that carries the start. */
function spawnSupervisor(runFolder: string, runId: string, entry: string) {
  const log = openSync(runFiles(runFolder).log, 'a', 0o600)
  try {
    const supervisor = execa(process.execPath, [entry, 'supervise', runFolder, runId], {
      cwd: runFolder,
      env: supervisorEnvironment(),
      extendEnv: false,
      stdin: 'pipe',
      stdout: 'ignore',
      stderr: log as 3,
      detached: true,
      buffer: false,
      reject: false,
      cleanup: false,
    })
    supervisor.nodeChildProcess.unref()
    return supervisor
  } finally {
    closeSync(log)
  }
}

/**
 * Nothing of the runner's environment but what finds programs and folders, so that no secret can pass, and the mark of
 * an outer run when Baton itself runs in one.
 */
function supervisorEnvironment(): Record<string, string> {
  const names = [RUN_MARK, 'PATH', 'HOME', 'TMPDIR', 'NODE_COMPILE_CACHE', 'SystemRoot', 'TEMP']
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}

async function makePipes(runFolder: string): Promise<void> {
  const { fifo } = runFiles(runFolder)
  const paths = [fifo('stdout'), fifo('stderr')]
  await Promise.all(paths.map((path) => rm(path, { force: true })))
  await execa('mkfifo', ['-m', '600', ...paths])
}

/** In a checkout the supervisor has a small entry of its own; in a bundle it is the bundle. */
function defaultEntry(): string {
  if (process.env.BATON_ENTRY) return process.env.BATON_ENTRY
  const own = join(import.meta.dirname, 'supervise-main.ts')
  return import.meta.filename.endsWith('start-supervised.ts') ? own : import.meta.filename
}
