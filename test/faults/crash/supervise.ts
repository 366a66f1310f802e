import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'

export type Supervised = {
  name: string
  /** Ready to be killed. */
  isUp(): boolean
  kill(): void
  /** It no longer comes back; SIGKILL if it does not go by itself. */
  end(): Promise<void>
  /** Ends that nobody asked for, after it was ready, with what it said last. */
  unexpected: string[]
  /** Starts that did not come up, as when the database is away. */
  failedStarts: number
  starts: number
}

/** Keeps a program running: whatever ends it, it is started again. `readyLine` says that it is up. */
export function supervise(options: {
  name: string
  script: string
  args?: string[]
  env: Record<string, string>
  readyLine: boolean
}): Supervised {
  let child: ChildProcess | null = null
  let up = false
  let killed = false
  let ending = false
  const self: Supervised = {
    name: options.name,
    unexpected: [],
    failedStarts: 0,
    starts: 0,
    isUp: () => up,
    kill() {
      killed = true
      up = false
      child?.kill('SIGKILL')
    },
    async end() {
      ending = true
      child?.kill('SIGTERM')
      const forced = setTimeout(() => child?.kill('SIGKILL'), 5_000)
      await loop
      clearTimeout(forced)
    },
  }
  const loop = run()

  async function run() {
    while (!ending) {
      killed = false
      self.starts++
      let log = ''
      const env = { PATH: process.env.PATH ?? '', ...marks(), ...options.env }
      child = spawn(process.execPath, [options.script, ...(options.args ?? [])], {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      child.stdout?.on('data', () => (up = !killed))
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        log = (log + text).slice(-4_000)
        if (process.env.FAULTS_LOG) process.stderr.write(`[${options.name}] ${text}`)
      })
      if (!options.readyLine) up = true
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
      if (!killed && !ending && up) self.unexpected.push(`${options.name} ended (${code ?? signal}): ${log}`)
      else if (!killed && !ending) self.failedStarts++
      up = false
      if (!ending && !killed) await wait(100)
    }
  }
  return self
}

/** So that the check for leaks finds them if this goes wrong. */
function marks(): Record<string, string> {
  return process.env.BATON_TEST_MARK ? { BATON_TEST_MARK: process.env.BATON_TEST_MARK } : {}
}
