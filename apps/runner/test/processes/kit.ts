import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newTestId } from '@baton/testkit'
import { startSupervised } from '../../src/processes/start-supervised.ts'
import type { Exit, GoneRun, Offsets, SpawnSpec, SupervisedRun } from '../../src/processes/supervised-run.ts'

export const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name)

/** How many seconds this test's sleepers sleep: unlike any other's, so that they can be told by it. */
export const newSleep = () => `3${Math.floor(Math.random() * 1e6)}.${Math.floor(Math.random() * 1e6)}`

/** Live processes with this text among their arguments: found without any code of the runner. */
export const processesWith = (text: string) =>
  findProcesses((words) => words.some((word) => word.includes(text)))

/** Those that have become `sleep` itself: what was to be done before, a session of its own say, is done. */
export const sleepers = (seconds: string) => findProcesses((words) => words.join(' ') === `sleep ${seconds} `)

function findProcesses(matches: (words: string[]) => boolean): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return []
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
      const isZombie = / Z /.test(readFileSync(`/proc/${name}/stat`, 'latin1').replace(/\(.*\)/s, ''))
      return matches(words) && !isZombie ? [Number(name)] : []
    } catch {
      return [] // it ended while it was looked at
    }
  })
}

/** A place for runs. Closing it ends every process that names it or one of its sleeps, whatever the test did. */
export function createRunPlace() {
  const root = mkdtempSync(join(tmpdir(), 'baton-custody-'))
  const runs: SupervisedRun[] = []
  const sleeps: string[] = []

  return {
    root,
    sleep() {
      const sleep = newSleep()
      sleeps.push(sleep)
      return sleep
    },
    newRun() {
      const runId = newTestId('run')
      return { runId, folder: join(root, runId) }
    },
    spec(file: string, args: string[], only: Partial<SpawnSpec> = {}): SpawnSpec {
      const env = { PATH: process.env.PATH ?? '' }
      return { file, args, cwd: root, env, stdin: '', keepStdinOpen: false, abandonAfterMs: 60_000, ...only }
    },
    /** Starts an agent that is expected to start. */
    async start(spec: SpawnSpec, entry?: string) {
      const { runId, folder } = this.newRun()
      const run = this.keep(await startSupervised(folder, runId, spec, entry ? { entry } : {}))
      return { run, runId, folder }
    },
    keep(started: SupervisedRun | GoneRun | { refused: string; message: string }): SupervisedRun {
      if (!('exited' in started)) throw new Error(`no run: ${JSON.stringify(started)}`)
      runs.push(started)
      return started
    },
    /** The entry of a supervisor that lacks a safeguard, under a name of its own. */
    supervisorWith(name: string) {
      const entry = join(root, `supervise-${name}.ts`)
      const source = readFileSync(fixture('supervise-with.ts'), 'utf8')
      writeFileSync(entry, source.replace('../../../src', join(import.meta.dirname, '../../src')))
      return entry
    },
    [Symbol.asyncDispose]: async () => {
      for (const run of runs) run.release()
      for (const text of [root, ...sleeps]) {
        for (const pid of processesWith(text)) killQuietly(pid)
      }
      rmSync(root, { recursive: true, force: true })
    },
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {}
}

/** Rejects when the promise takes longer. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`not within ${ms} ms`)), ms)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

export async function readAll(run: SupervisedRun, from: Offsets = { stdout: 0, stderr: 0 }) {
  const got = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  for await (const { stream, bytes } of run.output(from, new AbortController().signal))
    got[stream].push(bytes)
  return { stdout: Buffer.concat(got.stdout), stderr: Buffer.concat(got.stderr) }
}

/** Waits until the agent wrote this much to stdout. */
export async function untilOutput(run: SupervisedRun, bytes: number): Promise<void> {
  const done = new AbortController()
  for await (const chunk of run.output({ stdout: 0, stderr: 0 }, done.signal)) {
    if (chunk.stream === 'stdout' && chunk.offset + chunk.bytes.length >= bytes) done.abort()
  }
}

export const exitOf = (exit: Exit) => ({ exitCode: exit.exitCode, signal: exit.signal, error: exit.error })
