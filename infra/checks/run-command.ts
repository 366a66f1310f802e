import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'

export interface CommandOptions {
  signal: AbortSignal
  timeoutMs: number
  /** Called with each line that the command writes to its file descriptor 3. */
  onLine?: (line: string) => void
}

export interface CommandOutcome {
  ok: boolean
  /** Why it is not ok, in a few words. */
  why: string
  /** Standard output and error, in the order in which they came. */
  output: string
}

const graceMs = 5_000

/**
 * Runs a command to its end, or ends it when it takes too long or the signal is aborted. Never throws for what the
 * command does. It has a process group of its own, and nothing of that group is left when this resolves: a vitest
 * that is killed does not take its workers with it.
 */
export function runCommand(file: string, args: string[], options: CommandOptions): Promise<CommandOutcome> {
  const late = AbortSignal.timeout(options.timeoutMs)
  const ending = AbortSignal.any([options.signal, late])
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
      detached: process.platform !== 'win32',
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    splitLines(child.stdio[3] as Readable, options.onLine ?? (() => {}))

    let force: NodeJS.Timeout | undefined
    const end = (): void => {
      killGroup(child, 'SIGTERM')
      force = setTimeout(() => killGroup(child, 'SIGKILL'), graceMs)
    }
    ending.addEventListener('abort', end, { once: true })
    child.once('exit', () => killGroup(child, 'SIGKILL'))
    child.once('error', (error) => {
      if (child.pid === undefined) resolve({ ok: false, why: error.message, output })
    })
    child.once('close', (code, signal) => {
      clearTimeout(force)
      ending.removeEventListener('abort', end)
      const why = late.aborted
        ? `took longer than ${options.timeoutMs / 60_000} min`
        : `ended with ${signal ?? code}`
      resolve({ ok: code === 0, why, output })
    })
  })
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  if (process.platform === 'win32') {
    child.kill(signal)
    return
  }
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function splitLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}
