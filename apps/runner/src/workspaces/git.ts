import { execa } from 'execa'

export type GitAnswer = {
  ok: boolean
  stdout: Buffer
  stderr: string
  exitCode: number | null
  /** It took longer than its limit, or was called off. */
  timedOut: boolean
  /** It printed more than was asked for; `stdout` is the beginning. */
  cut: boolean
}

export type GitOptions = {
  cwd: string
  /** Given alone: no variable of the runner's environment that begins with GIT_ reaches git. */
  env?: Readonly<Record<string, string>>
  input?: string | Buffer
  limitMs?: number
  maxBytes?: number
  signal?: AbortSignal
}

const LIMIT_MS = 15_000
const MOST_BYTES = 16 * 1024 * 1024

/**
 * Calls git with arguments alone. It never asks for a password, fetches nothing by itself, takes no lock that it can do
 * without, and ends within its limit. Whether something that a repository's own configuration names may run is up to the
 * caller: `privateGit` rules it out, and `SAFE_OPTIONS` takes away what would run for plain reading.
 */
export async function git(args: readonly string[], options: GitOptions): Promise<GitAnswer> {
  const running = execa('git', args, {
    cwd: options.cwd,
    env: { ...baseEnvironment(), ...options.env },
    extendEnv: false,
    reject: false,
    encoding: 'buffer',
    stripFinalNewline: false,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    maxBuffer: options.maxBytes ?? MOST_BYTES,
    // git starts others (to fetch, to filter), which keep its output open: all of them are ended together.
    detached: true,
  })
  const limit = AbortSignal.timeout(options.limitMs ?? LIMIT_MS)
  const calledOff = options.signal ? AbortSignal.any([limit, options.signal]) : limit
  const end = () => endGroup(running.pid)
  if (calledOff.aborted) end()
  else calledOff.addEventListener('abort', end, { once: true })
  const done = await running
  calledOff.removeEventListener('abort', end)
  const stderr = Buffer.from(done.stderr ?? '')
    .toString('utf8')
    .trim()
  return {
    ok: done.exitCode === 0,
    stdout: Buffer.from(done.stdout ?? ''),
    stderr: stderr || (done.exitCode === 0 ? '' : (done.originalMessage ?? 'git ended without a word')),
    exitCode: done.exitCode ?? null,
    timedOut: calledOff.aborted && done.exitCode !== 0,
    cut: done.isMaxBuffer,
  }
}

/** At once: git removes its own locks at a TERM, and whatever does not listen is killed a moment later. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  const send = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  send('SIGTERM')
  setTimeout(() => send('SIGKILL'), 500).unref()
}

/** Output of a git that must succeed; throws with what it said. */
export async function gitText(args: readonly string[], options: GitOptions): Promise<string> {
  const answer = await git(args, options)
  if (answer.ok) return answer.stdout.toString('latin1')
  const why = answer.timedOut ? 'it took too long' : answer.cut ? 'it said too much' : answer.stderr
  throw new Error(`git ${args.find((arg) => !arg.startsWith('-')) ?? ''}: ${why.slice(0, 1_000)}`)
}

/** For reading refs of a repository whose own configuration is not trusted: none of its programs is started. */
export const SAFE_OPTIONS = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false'] as const

/** No network for reading and comparing: a missing object is an error, not a fetch. */
export const OFFLINE = { GIT_ALLOW_PROTOCOL: 'none', GIT_NO_LAZY_FETCH: '1' } as const

function baseEnvironment(): Record<string, string> {
  const env: Record<string, string> = { GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' }
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && !name.startsWith('GIT_') && !name.startsWith('BATON_')) env[name] ??= value
  return env
}
