import { spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { BatonError } from '@baton/protocol'
import { makePrivateFolder } from '../config/private-file.ts'

export type Exit = { exitCode: number | null; signal: string | null }
export type Child = {
  pid: number
  exited: Promise<Exit>
  /** TERM, then KILL after a while. Waits. */
  stop(): Promise<void>
}

export type ChildOptions = {
  /** For people: `relay`, `runner`. */
  name: string
  args: string[]
  env: NodeJS.ProcessEnv
  /** What it says on stderr is added here. */
  logFile: string
  /** Wait for a line on its stdout that says it is ready. */
  saysReady: boolean
}

const READY_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 15_000

/**
 * Starts one process of ours in a process group of its own, so that Ctrl-C in the terminal reaches only us. It ends by
 * itself when this process dies: its stdin is a pipe that we hold. Throws with its last words when it does not get ready.
 */
export async function startChild({ name, args, env, logFile, saysReady }: ChildOptions): Promise<Child> {
  await makePrivateFolder(dirname(logFile))
  const log = await open(logFile, 'a', 0o600)
  const { size: logStart } = await log.stat()
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: ['pipe', 'pipe', log.fd],
    env: { ...env, BATON_EXIT_WITH_PARENT: '1' },
  })
  const { stdout } = child
  if (!stdout) throw new Error('A child with a pipe for its stdout has none.')
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }))
    child.once('error', () => resolve({ exitCode: null, signal: null }))
  })
  await log.close()
  const stop = async () => {
    child.kill('SIGTERM')
    const ended = await Promise.race([exited.then(() => true), sleep(STOP_WITHIN_MS, false, { ref: false })])
    if (!ended) child.kill('SIGKILL')
    await exited
  }
  const ready = new Promise<'ready'>((resolve) => {
    if (!saysReady) resolve('ready')
    else createInterface({ input: stdout }).once('line', () => resolve('ready'))
  })
  stdout.resume()
  const first = await Promise.race([ready, exited, sleep(READY_WITHIN_MS, 'late' as const, { ref: false })])
  if (first === 'ready' && child.pid !== undefined) return { pid: child.pid, exited, stop }
  await stop()
  throw new BatonError('internal', await describeFailure(name, first, logFile, logStart))
}

async function describeFailure(
  name: string,
  first: Exit | 'late' | 'ready',
  logFile: string,
  logStart: number,
): Promise<string> {
  const what =
    first === 'late'
      ? `was not ready within ${READY_WITHIN_MS / 1000} s`
      : `ended${typeof first === 'string' ? '' : exitText(first)}`
  const lines = (await lastLines(logFile, logStart)).map((line) => `  ${line}`)
  return [
    `The ${name} ${what}. Its last words (${logFile}):`,
    ...(lines.length > 0 ? lines : ['  (none)']),
  ].join('\n')
}

export function exitText({ exitCode, signal }: Exit): string {
  return signal ? ` by ${signal}` : ` with exit code ${exitCode}`
}

/** The end of a log, from where this process's part of it begins; the message alone where a line is JSON. */
async function lastLines(file: string, from: number): Promise<string[]> {
  const text = (await readFile(file)).subarray(from).toString('utf8')
  return text.trimEnd().split('\n').filter(Boolean).slice(-12).map(messageOf)
}

function messageOf(line: string): string {
  try {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } }
    return [msg, err?.message].filter(Boolean).join(': ') || line
  } catch {
    return line
  }
}
