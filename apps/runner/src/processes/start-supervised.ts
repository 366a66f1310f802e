import { randomUUID } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { BatonError } from '@baton/protocol'
import { execa } from 'execa'
import { attachRun } from './attach-run.ts'
import { watchFolder } from './folder-watch.ts'
import { RUN_MARK } from './process-tree.ts'
import { readJson, readText, runFiles, type SupervisorRecord } from './run-files.ts'
import type { SupervisorInput } from './supervise.ts'
import type { Exit, SpawnSpec, StartRefused, SupervisedRun } from './supervised-run.ts'

export type StartOptions = {
  /** The script that answers `supervise <runFolder> <runId>`; by default BATON_ENTRY, else supervise-main. */
  entry?: string
}

/** A supervisor that waits for its start. Exactly one of the two must be called. */
export type ReadySupervisor = {
  start(spec: SpawnSpec): Promise<SupervisedRun | StartRefused>
  /** Lets it go without an agent; nothing of the attempt is left but an empty folder. */
  dismiss(): void
}

/**
 * Starts an agent under a supervisor of its own and resolves when the agent runs, or when it is certain that it never
 * did (with the reason). The run's folder may exist; it must not hold a run that was started before. The mark
 * BATON_RUN_ID is added to the agent's environment. Throws an `internal` BatonError when the supervisor itself could
 * not be started.
 */
export async function startSupervised(
  runFolder: string,
  runId: string,
  spec: SpawnSpec,
  options: StartOptions = {},
): Promise<SupervisedRun | StartRefused> {
  const supervisor = await readySupervisor(runFolder, runId, options)
  return supervisor.start(spec)
}

/**
 * The first half of `startSupervised`: the supervisor boots (some 50 to 150 ms) while the caller prepares the rest.
 * Nothing is decided yet: when this process dies before `start`, the supervisor ends and no agent ever runs.
 */
export async function readySupervisor(
  runFolder: string,
  runId: string,
  options: StartOptions = {},
): Promise<ReadySupervisor> {
  const files = runFiles(runFolder)
  await mkdir(runFolder, { recursive: true, mode: 0o700 })
  if (readJson<SupervisorRecord>(files.supervisor)?.agent) throw startFailed('this run was started before')
  const supervisor = spawnSupervisor(runFolder, runId, options.entry ?? defaultEntry())
  supervisor.stdin.on('error', () => {}) // it ended: `start` tells
  const pipes = makePipes(runFolder)
  pipes.catch(() => {}) // told by `start`
  return {
    dismiss: () => supervisor.stdin.end(),
    async start(spec) {
      try {
        await pipes
        // What is left of an earlier attempt that never came to an agent.
        await Promise.all([files.supervisor, files.exit].map((path) => rm(path, { force: true })))
        const attempt = randomUUID()
        await writeFile(files.control, `${JSON.stringify({ attempt })}\n`, { mode: 0o600 })
        return await begin(runFolder, runId, supervisor, { attempt, spec })
      } finally {
        supervisor.stdin.end()
      }
    },
  }
}

async function makePipes(runFolder: string): Promise<void> {
  const { fifo } = runFiles(runFolder)
  const paths = [fifo('stdout'), fifo('stderr')]
  await Promise.all(paths.map((path) => rm(path, { force: true })))
  await execa('mkfifo', ['-m', '600', ...paths])
}

type Supervisor = ReturnType<typeof spawnSupervisor>

/** Hands the start over and waits for the supervisor's word in the folder. */
async function begin(runFolder: string, runId: string, supervisor: Supervisor, input: SupervisorInput) {
  const files = runFiles(runFolder)
  const words = [basename(files.supervisor), basename(files.exit)]
  const watch = watchFolder(runFolder, (name) => words.includes(name))
  supervisor.nodeChildProcess.once('exit', () => watch.close())
  try {
    supervisor.stdin.end(JSON.stringify(input))
    for (;;) {
      const seen = watch.version
      const ended = supervisor.nodeChildProcess.exitCode !== null || supervisor.nodeChildProcess.signalCode
      const exit = readJson<Exit>(files.exit)
      const record = readJson<SupervisorRecord>(files.supervisor)
      if (record?.agent) return await attachRun(runFolder, runId, { ...record, agent: record.agent })
      if (exit?.error) return { refused: exit.error, message: exit.message ?? '' }
      if (ended) throw startFailed('its supervisor ended at once', readText(files.log))
      await watch.after(seen)
    }
  } finally {
    watch.close()
  }
}

/** Detached, in a session of its own, sharing nothing with this process but the stdin that carries the start. */
function spawnSupervisor(runFolder: string, runId: string, entry: string) {
  const log = openSync(runFiles(runFolder).log, 'a', 0o600)
  try {
    const supervisor = execa(process.execPath, [entry, 'supervise', runFolder, runId], {
      cwd: runFolder,
      env: supervisorEnvironment(),
      extendEnv: false,
      stdin: 'pipe',
      stdout: 'ignore',
      stderr: log as 3, // execa's types name 3 to 9 only; it hands any descriptor on
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

/** The supervisor has a small program of its own, which boots faster than the command: beside this one, also when built. */
function defaultEntry(): string {
  const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'mjs'
  return process.env.BATON_ENTRY ?? join(import.meta.dirname, `supervise-main.${extension}`)
}

function startFailed(what: string, cause?: unknown): BatonError {
  const message = `Starting the agent failed: ${what}. Run it again; if it stays, please report it.`
  return new BatonError('internal', message, { cause })
}
