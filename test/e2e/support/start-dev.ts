import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Baton } from '@baton/sdk'
import { openHome, type TestHome } from './open-home.ts'
import { type Ended, runBaton } from './run-command.ts'

const entry = fileURLToPath(new URL('../../../apps/runner/src/main.ts', import.meta.url))
const READY_WITHIN_MS = 60_000

export type RunningDev = {
  home: TestHome
  pid: number
  url: string
  baton: Baton
  env: Record<string, string>
  stderr(): string
  /** `baton …` with this dev's profile and token. */
  command(args: string[], options?: { input?: string; cwd?: string }): Promise<Ended>
  /** The process ids of a part now, found by its command line. */
  find(part: 'relay' | 'runner' | 'postgres'): Promise<number[]>
  /** Ctrl-C as a terminal sends it, to the whole process group; resolves with the exit code. */
  stop(): Promise<number | null>
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts `npm start`'s own command in an empty home and waits for its `ready` line. */
export async function startDev(given?: TestHome): Promise<RunningDev> {
  const home = given ?? (await openHome())
  const child = spawn(process.execPath, [entry, 'dev', '--no-open'], {
    env: home.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let stdout = ''
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid as number), 'SIGINT')
    return ended
  }
  const url = await new Promise<string>((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`not ready in time:\n${stderr}`)), READY_WITHIN_MS)
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
      const [, ready] = /^ready (\S+)$/m.exec(stdout) ?? []
      if (ready) {
        clearTimeout(limit)
        resolve(ready)
      }
    })
    child.once('close', (code) => {
      clearTimeout(limit)
      reject(new Error(`dev ended with ${code}:\n${stderr}`))
    })
  })
  const token = (
    await readFile(join(home.env.BATON_HOME ?? '', 'config/profiles/default.token'), 'utf8')
  ).trim()
  const baton = new Baton({ url, token })
  return {
    home,
    pid: child.pid as number,
    url,
    baton,
    env: home.env,
    stderr: () => stderr,
    command: (args, options) => runBaton(args, { env: home.env, ...options }),
    find: (part) => findPart(home, part),
    stop,
    async [Symbol.asyncDispose]() {
      await baton.close()
      await stop()
      if (!given) await home[Symbol.asyncDispose]()
    },
  }
}

const SIGNS = {
  relay: '/relay/src/main.ts start',
  runner: ' up --foreground',
  postgres: '/postgres -D ',
} as const

async function findPart(home: TestHome, part: keyof typeof SIGNS): Promise<number[]> {
  const all = await listProcesses(home)
  return all.filter(({ command }) => command.includes(SIGNS[part])).map(({ pid }) => pid)
}

/** Every living process that has this home in its environment or on its command line. */
export async function listProcesses(home: TestHome): Promise<{ pid: number; command: string }[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [command, environ] = await Promise.all([readProc(pid, 'cmdline'), readProc(pid, 'environ')])
      return command !== '' && `${command}\0${environ}`.includes(home.folder)
        ? [{ pid: Number(pid), command: command.replaceAll('\0', ' ').trim() }]
        : []
    }),
  )
  return found.flat()
}

/** Empty when it is gone. */
async function readProc(pid: string, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
}
