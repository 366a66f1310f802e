import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface OneWayRun {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface StopWhen {
  signal: NodeJS.Signals
  /** The text on stdout or stderr upon which it is sent, or so many ms after the start. */
  after: string | number
}

/** Runs an agent CLI whose whole input is the prompt on stdin, to its end or until the signal. */
export async function driveOneWay(
  program: string,
  argv: string[],
  place: { cwd: string; env: Record<string, string> },
  prompt: string,
  stop?: StopWhen,
): Promise<OneWayRun> {
  // In a group of its own, as a runner ends it: some CLIs are a wrapper around the program that matters.
  const child = spawn(program, argv, { ...place, stdio: 'pipe', detached: true })
  const said = { stdout: '', stderr: '' }
  const end = () => {
    if (child.exitCode === null && child.pid !== undefined && stop) process.kill(-child.pid, stop.signal)
  }
  const timer = typeof stop?.after === 'number' ? setTimeout(end, stop.after) : null
  child.stdin.on('error', () => {})
  child.stdin.end(prompt)
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text
      if (typeof stop?.after === 'string' && said[stream].includes(stop.after)) end()
    })
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  if (timer !== null) clearTimeout(timer)
  return { code, signal, ...said }
}
