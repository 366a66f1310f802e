import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { eventually } from '@baton/testkit'
import type { ProfilePaths } from '../../src/config/paths.ts'
import { readTextFile } from '../../src/config/private-file.ts'
import type { RunnerStatus } from '../../src/create-runner.ts'
import { entryFile } from '../../src/entry.ts'

export type RunnerProcess = AsyncDisposable & {
  pid: number
  ready: Promise<void>
  /** Exit code and what it said on stderr. */
  exited: Promise<{ code: number | null; said: string }>
  /** What happens to a child when its parent dies. */
  closeStdin(): void
  /** Stops it where it stands, as a debugger or a full machine does, or lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'): void
  kill(signal?: NodeJS.Signals): Promise<{ code: number | null; said: string }>
}

/** The runner as a person starts it: the command in the foreground, in a home of its own. */
export function startRunnerProcess(
  home: string,
  options: { args?: string[]; env?: Record<string, string>; within?: string[] } = {},
): RunnerProcess {
  const command = [process.execPath, entryFile, 'up', '--foreground', ...(options.args ?? [])]
  const [file = '', ...args] = [...(options.within ?? []), ...command]
  const child = spawn(file, args, {
    env: { ...process.env, ...options.env, BATON_HOME: home },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (part) => {
    said += part
  })
  const exited = once(child, 'exit').then(([code]) => ({ code: code as number | null, said }))
  const ready = Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(() => undefined),
    exited.then(({ code }) => Promise.reject(new Error(`the runner ended with ${code}: ${said}`))),
  ])
  ready.catch(() => undefined)
  async function kill(signal: NodeJS.Signals = 'SIGTERM') {
    if (child.exitCode === null) child.kill(signal)
    return await exited
  }
  return {
    pid: child.pid as number,
    ready,
    exited,
    closeStdin: () => child.stdin.end(),
    signal: (name) => void child.kill(name),
    kill,
    async [Symbol.asyncDispose]() {
      child.kill('SIGCONT')
      await kill('SIGTERM')
    },
  }
}

export async function readStatus(paths: ProfilePaths): Promise<RunnerStatus> {
  const text = await readTextFile(paths.statusFile)
  if (text === null) throw new Error('the runner has written no status')
  return JSON.parse(text)
}

/** Waits until nothing is owed to the relay any more. */
export async function untilIdle(paths: ProfilePaths): Promise<void> {
  await eventually(async () => {
    const { runs } = await readStatus(paths)
    if (runs.length > 0) throw new Error(`still held: ${JSON.stringify(runs)}`)
  })
}
