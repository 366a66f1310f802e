import { spawn } from 'node:child_process'
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

/** Runs a command to its end, or kills it when it takes too long. Never throws for what the command does. */
export function runCommand(file: string, args: string[], options: CommandOptions): Promise<CommandOutcome> {
  const late = AbortSignal.timeout(options.timeoutMs)
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
      signal: AbortSignal.any([options.signal, late]),
      killSignal: 'SIGTERM',
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    splitLines(child.stdio[3] as Readable, options.onLine ?? (() => {}))
    child.once('error', (error) => {
      if (child.pid === undefined) resolve({ ok: false, why: error.message, output })
    })
    child.once('close', (code, signal) => {
      const why = late.aborted
        ? `took longer than ${options.timeoutMs / 60_000} min`
        : `ended with ${signal ?? code}`
      resolve({ ok: code === 0, why, output })
    })
  })
}

function splitLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}
