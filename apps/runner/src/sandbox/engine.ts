import { execa, type Options } from 'execa'
import { findExecutable } from '../agents/find-executable.ts'

export type EngineName = 'docker' | 'podman'
export type Engine = { name: EngineName; file: string; env: Record<string, string> }
export type EngineAnswer = { ok: boolean; stdout: string; stderr: string; timedOut: boolean }

/** What the engine's own client needs of the runner's environment; agents get none of it. */
const CLIENT_NAMES = ['PATH', 'HOME', 'XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'TMPDIR']
  .concat(['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'DOCKER_CERT_PATH', 'DOCKER_TLS_VERIFY'])
  .concat(['CONTAINER_HOST', 'CONTAINERS_CONF', 'CONTAINERS_STORAGE_CONF'])

export type Environment = Readonly<Record<string, string | undefined>>

/** The engines whose client is installed, docker first. Whether a daemon answers is another question. */
export async function listEngines(environment: Environment): Promise<Engine[]> {
  const env: Record<string, string> = {}
  for (const name of CLIENT_NAMES) {
    const value = environment[name]
    if (value !== undefined) env[name] = value
  }
  const engines: Engine[] = []
  for (const name of ['docker', 'podman'] as const) {
    const file = await findExecutable(name, environment.PATH ?? '')
    if (file !== null) engines.push({ name, file, env })
  }
  return engines
}

/** The first engine that answers, of this name or of any; else why there is none. */
export async function findEngine(
  wanted: EngineName | 'auto',
  environment: Environment,
): Promise<Engine | { problem: string }> {
  const engines = (await listEngines(environment)).filter(({ name }) => wanted === 'auto' || name === wanted)
  if (engines.length === 0) {
    const which = wanted === 'auto' ? 'Neither docker nor podman is' : `${wanted} is not`
    return {
      problem: `${which} on the PATH of the runner on that machine. Install it, or change the agent's isolation.`,
    }
  }
  const problems: string[] = []
  for (const engine of engines) {
    const asked = await askVersion(engine, 10_000)
    if (asked.ok) return engine
    problems.push(`${engine.name}: ${asked.timedOut ? 'no answer within 10 s' : lastLine(asked.stderr)}`)
  }
  return {
    problem: `The container engine does not answer (${problems.join('; ')}). Start it on that machine.`,
  }
}

/** Its version, from the daemon where there is one; podman has none. */
export function askVersion(engine: Engine, limitMs: number): Promise<EngineAnswer> {
  const side = engine.name === 'docker' ? 'Server' : 'Client'
  return callEngine(engine, ['version', '--format', `{{.${side}.Version}}`], { timeout: limitMs })
}

export async function callEngine(
  engine: Engine,
  args: readonly string[],
  options: Pick<Options, 'timeout' | 'cancelSignal'> = {},
): Promise<EngineAnswer> {
  const done = await execa(engine.file, args, {
    env: engine.env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    timeout: 60_000,
    forceKillAfterDelay: 500,
    maxBuffer: 1024 * 1024,
    ...options,
  })
  const stderr = typeof done.stderr === 'string' ? done.stderr : ''
  return {
    ok: done.exitCode === 0,
    stdout: typeof done.stdout === 'string' ? done.stdout : '',
    stderr: stderr || (done.exitCode === 0 ? '' : (done.originalMessage ?? 'it ended without a word')),
    timedOut: done.timedOut,
  }
}

export function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').slice(0, 500)
}
