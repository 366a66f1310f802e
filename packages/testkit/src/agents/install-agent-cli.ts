import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type AgentCli, type AgentCliName, agentClis } from './agent-clis.ts'
import { findProgram } from './find-program.ts'
import { holdLock } from './hold-lock.ts'

export type InstalledAgentCli = { path: string; version: string } | { missing: string }

/**
 * Installs the pinned version of an agent CLI from the package registry below `node_modules/.cache`, once for all tests
 * and processes, and returns the program's path. Never throws: a machine without network or disk space gets the reason,
 * to be shown by the test that skips.
 *
 * No install script of the package runs. npm itself gets the caller's environment, since registry, proxy and
 * certificates are set there.
 */
export async function installAgentCli(
  name: AgentCliName,
  { limitMs = 300_000, cache = defaultCache }: { limitMs?: number; cache?: string } = {},
): Promise<InstalledAgentCli> {
  const cli = agentClis[name]
  const folder = join(cache, `${name}-${cli.version}`)
  try {
    const installed = await findProgram(folder, cli)
    if (installed) return installed
    await mkdir(cache, { recursive: true })
    await using _ = await holdLock(`${folder}.lock`, AbortSignal.timeout(limitMs))
    return (await findProgram(folder, cli)) ?? (await install(cli, folder, limitMs))
  } catch (cause) {
    return { missing: `${cli.package}@${cli.version} could not be installed: ${reason(cause)}` }
  }
}

const defaultCache = fileURLToPath(new URL('../../../../node_modules/.cache/baton-agents', import.meta.url))

/** Installs beside the final place and moves it there when the program has answered, so what is there is whole. */
async function install(cli: AgentCli, folder: string, limitMs: number): Promise<InstalledAgentCli> {
  const staging = await mkdtemp(`${folder}.`)
  try {
    await writeFile(join(staging, 'package.json'), '{ "private": true }\n')
    const argv = ['install', '--prefix', staging, ...npmFlags, `${cli.package}@${cli.version}`]
    await run('npm', argv, { cwd: staging, timeout: limitMs, env: npmEnvironment() })
    const program = await findProgram(staging, cli)
    if (!program)
      return {
        missing: `${cli.package}@${cli.version} has no program for ${process.platform} ${process.arch}.`,
      }
    await run(program.path, ['--version'], { timeout: 30_000 })
    await chmod(staging, 0o755)
    await rm(folder, { recursive: true, force: true })
    await rename(staging, folder)
    return (
      (await findProgram(folder, cli)) ?? { missing: `${folder} was removed while it was being installed.` }
    )
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

const run = promisify(execFile)
const npmFlags = ['--ignore-scripts', '--include=optional', '--no-audit', '--no-fund', '--no-package-lock']

/** Without what an enclosing `npm test --workspace …` says about itself: it would look for that workspace here. */
function npmEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^npm_(package_|lifecycle_|config_workspace)/.test(name),
  )
  return Object.fromEntries(own)
}

/** What went wrong in one line, with npm's own words; npm says on its last lines where its log is, which helps nobody. */
function reason(cause: unknown): string {
  const { message, stderr, killed } = cause as { message: string; stderr?: string; killed?: boolean }
  if (killed) return 'it took too long and was stopped.'
  const lines = (stderr ?? '')
    .split('\n')
    .filter((line) => /^npm error/.test(line) && !/^npm error (errno|syscall|path|A complete log)/.test(line))
  return lines.length > 0 ? lines.slice(0, 2).join(' ') : (message.split('\n')[0] ?? message)
}
