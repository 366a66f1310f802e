import { rmSync } from 'node:fs'
import type { ErrorKind, KillProof } from '@baton/protocol'
import { type AgentPipes, openAgentPipes } from './agent-pipes.ts'
import { type ControlCommand, followControl } from './control-log.ts'
import { endInside, joinProofs } from './end-inside.ts'
import { endTree } from './end-tree.ts'
import { createOutputCustody } from './output-custody.ts'
import { type ProcessIdentity, readBootId, readProcess } from './process-table.ts'
import { createProcessTree, type ProcessTree, type TreeTrait } from './process-tree.ts'
import type { RunCgroup } from './run-cgroup.ts'
import { putJson, runFiles, type SupervisorRecord } from './run-files.ts'
import { type StartedAgent, startAgent } from './start-agent.ts'
import { createExit, type Exit, type SpawnSpec } from './supervised-run.ts'
import { observeTree, watchOver } from './watch-over.ts'

/** For tests that take a safeguard away and expect to see the fault it guards against. */
export type KeepOptions = {
  traits?: readonly TreeTrait[]
  /** How long the output may stay open after the agent and its tree ended. */
  cutPipesAfterMs?: number
  unconsumedLimitBytes?: number
}

export type Keeping = {
  runFolder: string
  runId: string
  spec: SpawnSpec
  startedAt: number
  /** The control group that this process is in, so that the agent is born in it. */
  cgroup: RunCgroup | null
  options: KeepOptions
}

const CUT_PIPES_AFTER_MS = 2_000
/** What an agent left behind gets this long to write its last words before it is told to end. */
const LAST_WORDS_MS = 250
const LEFT_BEHIND_GRACE_MS = 2_000

/** Starts the agent and stays with it until it and everything it started is gone. Leaves no process, even if it throws. */
export async function keepAgent(keeping: Keeping): Promise<Exit> {
  const { runFolder, runId, spec, cgroup } = keeping
  const note = (agent: ProcessIdentity | null) =>
    putJson(runFiles(runFolder).supervisor, describe(keeping, agent))
  note(null)
  const pipes = openAgentPipes(runFolder)
  // Until the agent's pid is known only its mark and its control group tell what was started.
  let tree = createProcessTree({ root: { pid: 0, startTime: '' }, runId, cgroup })
  try {
    const agent = await startAgent(spec, runId, pipes)
    if ('error' in agent) return createExit(agent)
    const { traits } = keeping.options
    const root = agent.identity
    tree = createProcessTree({ root, runId, cgroup, pipes: pipes.names, ...(traits ? { traits } : {}) })
    note(root)
    return await seeThrough(keeping, agent, tree, pipes.readers)
  } catch (error) {
    if (spec.inside) await endInside(spec.inside, 0)
    await endTree(tree, 0)
    throw error
  } finally {
    pipes.readers.stdout.close()
    pipes.readers.stderr.close()
  }
}

function describe({ startedAt, cgroup, spec }: Keeping, agent: ProcessIdentity | null): SupervisorRecord {
  const supervisor = { pid: process.pid, startTime: readProcess(process.pid)?.startTime ?? '' }
  return {
    supervisor,
    agent,
    bootId: readBootId(),
    startedAt,
    cgroup: cgroup?.path ?? null,
    inside: spec.inside ?? null,
  }
}

type Ending = { stopReason: string; graceMs: number; error?: ErrorKind; message?: string }

/** From the started agent to its exit: output, commands, the end of the tree. The first cause to end it wins. */
async function seeThrough(
  { runFolder, spec, options }: Keeping,
  agent: StartedAgent,
  tree: ProcessTree,
  readers: AgentPipes['readers'],
): Promise<Exit> {
  const files = runFiles(runFolder)
  const ending = Promise.withResolvers<Ending>()
  const output = createOutputCustody(runFolder, readers, options.unconsumedLimitBytes, (error) => {
    rmSync(files.spare, { force: true })
    ending.resolve({ stopReason: 'disk_full', graceMs: 0, ...explainLoss(error) })
  })
  const control = followControl(files.control, (command) => obey(command))
  const watching = watchOver({ control, abandonAfterMs: spec.abandonAfterMs }, (stopReason, message) =>
    ending.resolve({ stopReason, graceMs: LEFT_BEHIND_GRACE_MS, error: 'killed', message }),
  )

  const observing = observeTree(tree)

  function obey(command: ControlCommand): void {
    if ('stdin' in command) agent.stdin.write(command.stdin)
    if ('closeStdin' in command) agent.stdin.end()
    if ('consumed' in command) output.consumed(command.consumed)
    if ('stop' in command) ending.resolve({ stopReason: command.stop.reason, graceMs: command.stop.graceMs })
  }

  try {
    agent.stdin.write(spec.stdin)
    if (!spec.keepStdinOpen) agent.stdin.end()
    control.look()
    const first = await Promise.race([agent.ended, ending.promise])
    const exit = 'graceMs' in first ? await endEarly(first) : await sweepAfter(first)
    await output.ended(options.cutPipesAfterMs ?? CUT_PIPES_AFTER_MS)
    return { ...exit, outputBytes: output.written() }
  } finally {
    output.close()
    watching.stop()
    observing.stop()
    control.close()
  }

  async function endEarly({ stopReason, graceMs, ...why }: Ending): Promise<Exit> {
    output.letFlow()
    const killProof = await endAll(graceMs)
    // A process that even KILL does not end (it hangs in the kernel) is reported, not waited for.
    const stuck = (killProof?.survivors ?? 0) > 0
    const ended = stuck ? await Promise.race([agent.ended, Promise.resolve(STUCK)]) : await agent.ended
    return createExit({ ...ended, ...why, killProof, stopReason })
  }

  async function sweepAfter(ended: { exitCode: number | null; signal: string | null }): Promise<Exit> {
    const endedAt = Date.now()
    output.letFlow()
    await output.ended(LAST_WORDS_MS)
    const killProof = await endAll(LEFT_BEHIND_GRACE_MS)
    return createExit({ ...ended, endedAt, killProof })
  }

  /** What is in a container goes first: the program that shows it here ends with it. */
  async function endAll(graceMs: number): Promise<KillProof | null> {
    const proof = spec.inside ? await endInside(spec.inside, graceMs) : null
    return joinProofs(proof, await endTree(tree, spec.inside ? LEFT_BEHIND_GRACE_MS : graceMs))
  }
}

const STUCK = {
  exitCode: null,
  signal: null,
  error: 'internal' as const,
  message: 'The agent could not be ended, not even with SIGKILL. Restart this machine.',
}

function explainLoss(error: unknown): { error: ErrorKind; message: string } {
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
    const message = 'The agent was ended: its output could not be written, the disk is full. Free some space.'
    return { error: 'disk_full', message }
  }
  return {
    error: 'internal',
    message: `The agent was ended: its output could not be written (${String(error)}).`,
  }
}
