import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'

/** One line of Claude Code's stream-json, not looked at more closely than a test needs. */
export interface ClaudeEvent {
  type: string
  subtype?: string
  [field: string]: unknown
}

export interface ClaudeExit {
  code: number | null
  signal: NodeJS.Signals | null
  stderr: string
  /** From the start of the process to its end. */
  tookMs: number
}

export interface DrivenClaude extends AsyncDisposable {
  process: ChildProcess
  /** Lines written to stdout so far, as they came. */
  stdout: string[]
  /** Lines sent to stdin so far. */
  stdin: string[]
  /** Sends one line of the two-way protocol. */
  send(message: object): void
  /** Sends a user message of the two-way protocol. */
  prompt(content: string): void
  /** Sends one-way text, or nothing, and ends the input. */
  end(content?: string): void
  /** The next event, after those already returned, that the check accepts. Rejects when the process ends without it. */
  next(check: (event: ClaudeEvent) => boolean): Promise<ClaudeEvent>
  exited: Promise<ClaudeExit>
}

/** Starts the real CLI and keeps every line in both directions. Disposing kills it if it still runs. */
export function driveClaude(
  program: string,
  argv: string[],
  { cwd, env }: { cwd: string; env: Record<string, string> },
): DrivenClaude {
  const startedAt = performance.now()
  const child = spawn(program, argv, { cwd, env, stdio: 'pipe' })
  const stdout: string[] = []
  const stdin: string[] = []
  const seen = new EventTarget()
  let read = 0
  let ended = false
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => {
    stdout.push(line)
    seen.dispatchEvent(new Event('change'))
  })
  const finish = async (): Promise<ClaudeExit> => {
    const [stderr, [code, signal]] = await Promise.all([
      text(child.stderr),
      once(child, 'exit'),
      once(lines, 'close'),
    ])
    ended = true
    seen.dispatchEvent(new Event('change'))
    return { code, signal, stderr, tookMs: Math.round(performance.now() - startedAt) }
  }
  // An agent that has gone before it read its input says why in its exit; the broken pipe adds nothing.
  child.stdin.on('error', () => {})
  const exited = finish()
  const send = (message: object) => {
    const line = JSON.stringify(message)
    stdin.push(line)
    child.stdin.write(`${line}\n`)
  }
  return {
    process: child,
    stdout,
    stdin,
    exited,
    send,
    prompt: (content) =>
      send({ type: 'user', message: { role: 'user', content }, parent_tool_use_id: null, session_id: '' }),
    end: (content = '') => void child.stdin.end(content),
    async next(check) {
      for (;;) {
        while (read < stdout.length) {
          const event = JSON.parse(stdout[read++] ?? '') as ClaudeEvent
          if (check(event)) return event
        }
        if (ended)
          throw new Error(`Claude Code ended without the event that was waited for: ${check.toString()}`)
        await once(seen, 'change')
      }
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
    },
  }
}
