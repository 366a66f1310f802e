import { rmSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { ErrorKind, KillProof } from '@baton/protocol'
import { type AgentPipes, openAgentPipes } from './agent-pipes.ts'
import { claimAttempt } from './claim-attempt.ts'
import { followControl } from './control-log.ts'
import { endTree } from './end-tree.ts'
import { createOutputCustody } from './output-custody.ts'
import { readBootId, readProcess } from './process-table.ts'
import { createProcessTree, type ProcessTree, type TreeTrait } from './process-tree.ts'
import { createRunCgroup } from './run-cgroup.ts'
import { putJson, runFiles, type SupervisorRecord } from './run-files.ts'
import { type StartedAgent, startAgent } from './start-agent.ts'
import type { Exit, SpawnSpec } from './supervised-run.ts'
import { watchOver } from './watch-over.ts'

/** What a starting runner sends through the supervisor's stdin. */
export type SupervisorInput = { attempt: string; spec: SpawnSpec }

/** For tests that take a safeguard away and expect to see the fault it guards against. */
export type SuperviseOptions = {
  traits?: readonly TreeTrait[]
  /** How long the output may stay open after the agent and its tree ended. */
  cutPipesAfterMs?: number
  unconsumedLimitBytes?: number
}

const CUT_PIPES_AFTER_MS = 2_000
/** What an agent left behind gets this long to write its last words before it is told to end. */
const LAST_WORDS_MS = 250
const LEFT_BEHIND_GRACE_MS = 2_000
const EXIT_RESERVE_BYTES = 16 * 1024
const SPARE_BYTES = 1024 * 1024

/**
 * Keeps one agent: starts it, writes its raw output to the run's folder, does what the control log says, ends the
 * whole tree, and writes exit.json as the last thing. It knows nothing of the relay and shares nothing with the
 * runner that started it but the folder, so it goes on whatever happens to the runner.
 *
 * Resolves when all is written; the caller then ends the process. An attempt that an adopter already declared void
 * is not started.
 */
export async function supervise(
  runFolder: string,
  runId: string,
  options: SuperviseOptions = {},
): Promise<void> {
  for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(name, () => {})
  const startedAt = Date.now()
  const { attempt, spec } = JSON.parse(await text(process.stdin)) as SupervisorInput
  if (!claimAttempt(runFolder, attempt)) return
  const files = runFiles(runFolder)
  try {
    writeFileSync(files.exitReserve, ' '.repeat(EXIT_RESERVE_BYTES), { mode: 0o600, flush: true })
    writeFileSync(files.spare, Buffer.alloc(SPARE_BYTES, 1), { mode: 0o600 })
    const exit = await keepAgent(runFolder, runId, spec, startedAt, options)
    rmSync(files.spare, { force: true })
    putJson(files.exit, exit, files.exitReserve)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`)
    rmSync(files.spare, { force: true })
    putJson(files.exit, neverRan(error), files.exitReserve)
  }
}

async function keepAgent(
  runFolder: string,
  runId: string,
  spec: SpawnSpec,
  startedAt: number,
  options: SuperviseOptions,
): Promise<Exit> {
  const files = runFiles(runFolder)
  const self = readProcess(process.pid)
  const cgroup = createRunCgroup(runId)
  const record: SupervisorRecord = {
    supervisor: { pid: process.pid, startTime: self?.startTime ?? '' },
    agent: null,
    bootId: readBootId(),
    startedAt,
    cgroup: cgroup?.path ?? null,
  }
  putJson(files.supervisor, record)
  const pipes = openAgentPipes(runFolder)
  // Until the agent's pid is known only its mark and its control group tell what was started.
  let tree = createProcessTree({ root: { pid: 0, startTime: '' }, runId, cgroup })
  try {
    const agent = await startAgent(spec, runId, pipes, cgroup)
    if ('error' in agent) return { ...emptyExit(), error: agent.error, message: agent.message }
    const { traits } = options
    const root = agent.identity
    tree = createProcessTree({ root, runId, cgroup, pipes: pipes.names, ...(traits ? { traits } : {}) })
    putJson(files.supervisor, { ...record, agent: root })
    return await seeThrough(runFolder, spec, agent, tree, pipes.readers, options)
  } finally {
    await endTree(tree, 0)
    cgroup?.remove()
    pipes.readers.stdout.destroy()
    pipes.readers.stderr.destroy()
  }
}

type Ending = { stopReason: string | null; graceMs: number; error: ErrorKind | null; message: string | null }

/** From the started agent to its exit: output, commands, the end of the tree. */
async function seeThrough(
  runFolder: string,
  spec: SpawnSpec,
  agent: StartedAgent,
  tree: ProcessTree,
  readers: AgentPipes['readers'],
  options: SuperviseOptions,
): Promise<Exit> {
  let ending: Ending | null = null
  let killed: Promise<KillProof | null> | null = null
  const stop = (why: Ending) => {
    if (ending) return
    ending = why
    output.letFlow()
    killed = endTree(tree, why.graceMs)
  }
  const output = createOutputCustody(runFolder, readers, options.unconsumedLimitBytes, (error) => {
    rmSync(runFiles(runFolder).spare, { force: true })
    stop({ stopReason: 'disk_full', graceMs: 0, ...describe(error) })
  })
  const control = followControl(runFiles(runFolder).control, (command) => {
    if ('stdin' in command) agent.stdin.write(command.stdin)
    if ('closeStdin' in command) agent.stdin.end()
    if ('consumed' in command) output.consumed(command.consumed)
    if ('stop' in command) {
      const { reason, graceMs } = command.stop
      stop({ stopReason: reason, graceMs, error: null, message: null })
    }
  })
  const watching = watchOver({ control, tree, abandonAfterMs: spec.abandonAfterMs }, (stopReason, message) =>
    stop({ stopReason, graceMs: LEFT_BEHIND_GRACE_MS, error: 'killed', message }),
  )
  agent.stdin.write(spec.stdin)
  if (!spec.keepStdinOpen) agent.stdin.end()
  control.look()

  const { exitCode, signal } = await agent.ended
  const endedAt = Date.now()
  output.letFlow()
  if (!killed) await output.ended(LAST_WORDS_MS)
  const killProof = await (killed ?? endTree(tree, LEFT_BEHIND_GRACE_MS))
  await output.ended(options.cutPipesAfterMs ?? CUT_PIPES_AFTER_MS)
  output.close()
  watching.stop()
  control.close()
  const { error = null, message = null, stopReason = null } = (ending as Ending | null) ?? {}
  return { exitCode, signal, endedAt, killProof, error, message, stopReason, outputBytes: output.written() }
}

function describe(error: unknown): { error: ErrorKind; message: string } {
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
    return {
      error: 'disk_full',
      message: 'The agent was ended: its output could not be written, the disk is full.',
    }
  }
  return { error: 'internal', message: `The agent was ended: its output could not be written (${error}).` }
}

function neverRan(error: unknown): Exit {
  return { ...emptyExit(), ...describe(error) }
}

function emptyExit(): Exit {
  return {
    exitCode: null,
    signal: null,
    endedAt: Date.now(),
    killProof: null,
    error: null,
    message: null,
    stopReason: null,
    outputBytes: { stdout: 0, stderr: 0 },
  }
}
