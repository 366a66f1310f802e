import { accessSync, constants, statSync } from 'node:fs'
import type { ErrorKind } from '@baton/protocol'
import { execa } from 'execa'
import type { AgentPipes } from './agent-pipes.ts'
import { type ProcessIdentity, readProcess } from './process-table.ts'
import { RUN_MARK } from './process-tree.ts'
import type { SpawnSpec } from './supervised-run.ts'

export type StartedAgent = {
  identity: ProcessIdentity
  stdin: NodeJS.WritableStream
  /** Settles when the agent's own process ended, whoever still holds its pipes. */
  ended: Promise<{ exitCode: number | null; signal: string | null }>
}

export type NotStarted = { error: ErrorKind; message: string }

/** Starts the agent as the leader of its own session. */
export async function startAgent(
  spec: SpawnSpec,
  runId: string,
  pipes: AgentPipes,
): Promise<StartedAgent | NotStarted> {
  const problem = problemWithFolder(spec.cwd)
  if (problem) return { error: 'workspace', message: problem }
  const agent = execa(spec.file, spec.args, {
    cwd: spec.cwd,
    env: { ...spec.env, [RUN_MARK]: runId },
    extendEnv: false,
    stdin: 'pipe',
    // execa's types name 3 to 9 only; it hands any descriptor on.
    stdout: pipes.ends.stdout as 3,
    stderr: pipes.ends.stderr as 3,
    detached: true,
    buffer: false,
    reject: false,
    cleanup: false,
  })
  pipes.closeEnds()
  if (agent.pid === undefined) return explain(spec, await agent)

  const identity = readProcess(agent.pid, { orZombie: true })
  if (!identity) throw new Error(`the agent's process ${agent.pid} cannot be looked at`)
  // A write to an agent that closed its stdin or ended is no fault: the rest of the text is dropped.
  agent.stdin.on('error', () => {})
  const ended = new Promise<{ exitCode: number | null; signal: string | null }>((resolve) => {
    agent.nodeChildProcess.once('exit', (exitCode, signal) => resolve({ exitCode, signal }))
  })
  return { identity: { pid: identity.pid, startTime: identity.startTime }, stdin: agent.stdin, ended }
}

function problemWithFolder(cwd: string): string | null {
  const stat = statSync(cwd, { throwIfNoEntry: false })
  if (!stat)
    return `The agent could not be started in ${cwd}: the folder does not exist. Create it or choose another.`
  if (!stat.isDirectory())
    return `The agent could not be started in ${cwd}: it is not a folder. Choose a folder.`
  try {
    accessSync(cwd, constants.X_OK)
    return null
  } catch {
    return `The agent could not be started in ${cwd}: the folder may not be entered. Give this user access to it.`
  }
}

function explain(
  spec: SpawnSpec,
  result: { code?: string | undefined; originalMessage?: string | undefined },
): NotStarted {
  const { code } = result
  const starting = `Starting the agent (${spec.file}) failed`
  if (code === 'ENOENT') {
    return {
      error: 'agent_missing',
      message: `${starting}: there is no such program. Install it on this machine.`,
    }
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'ENOEXEC') {
    return {
      error: 'agent_missing',
      message: `${starting}: it may not be executed (${code}). Mend its permissions.`,
    }
  }
  return { error: 'internal', message: `${starting}: ${code ?? result.originalMessage ?? 'unknown cause'}.` }
}
