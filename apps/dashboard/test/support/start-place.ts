import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { connectApi, createTestDatabase, startTestRelay, type TestRelay } from '@baton/testkit'

const RUNNER = fileURLToPath(new URL('../../../runner/src/main.ts', import.meta.url))
const DEMO_AGENT = fileURLToPath(new URL('../../../runner/src/agents/demo/demo-agent.ts', import.meta.url))
const SCRIPTED_CLAUDE = fileURLToPath(
  new URL('../../../runner/test/fixtures/scripted-claude.ts', import.meta.url),
)
const DASHBOARD = fileURLToPath(new URL('../../dist', import.meta.url))

export type Place = Awaited<ReturnType<typeof startPlace>>

/** A real relay that serves the built dashboard, with its database, a machine and the demo agent on it. */
export async function startPlace(more: Record<string, string> = {}) {
  if (!existsSync(join(DASHBOARD, 'index.html'))) {
    throw new Error('The dashboard is not built, so there is nothing to test. Build it with: npm run build')
  }
  const database = await createTestDatabase()
  const env = { BATON_DASHBOARD_DIR: DASHBOARD, BATON_LOG_LEVEL: 'error', ...more }
  let relay: TestRelay = await startTestRelay({ databaseUrl: database.url, env })
  const { url, port } = relay
  const made = await relay.setup<{ machineKey: string; token: string }>({
    machineName: 'laptop',
    wantMachineKey: true,
    wantToken: true,
    agents: [{ key: 'demo', runtime: 'command', command: 'demo' }],
  })
  const api = connectApi(url, made.token)
  const home = await realpath(await mkdtemp(join(tmpdir(), 'baton-dashboard-')))
  const runner = createRunner(home, url, made.machineKey)
  return {
    url,
    api,
    runner,
    signInLink: async () => (await api.auth.createLink.mutate()).url,
    startRun: async (prompt: string, agent = 'demo') =>
      (await api.runs.create.mutate({ prompt, agent })).runId,
    databaseUrl: database.url,
    stopRelay: () => relay.kill('SIGKILL'),
    async startRelay() {
      relay = await startTestRelay({ databaseUrl: database.url, port, env })
    },
    async [Symbol.asyncDispose]() {
      await runner.stop()
      await relay[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** A program on the runner's PATH that is a script of ours. */
async function writeProgram(folder: string, name: string, script: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, name), `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`, {
    mode: 0o755,
  })
}

/** The runner as a person starts it, in a home of its own whose policy offers the demo agent. */
function createRunner(home: string, url: string, key: string) {
  let child: ReturnType<typeof begin> | null = null
  const begin = () => {
    const args = [RUNNER, 'up', '--foreground', '--server', url, '--key-stdin']
    const started = spawn(process.execPath, args, {
      env: { ...process.env, BATON_HOME: home, PATH: `${join(home, 'bin')}:${process.env.PATH}` },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    started.stdin.end(key)
    return started
  }
  return {
    async start() {
      const profiles = join(home, 'config', 'profiles')
      await mkdir(profiles, { recursive: true, mode: 0o700 })
      const demo = { argv: [process.execPath, DEMO_AGENT, '--pause', '20'], format: 'stream-json' }
      const policy = {
        folders: [home],
        commands: { demo },
        runtimes: ['command', 'claude'],
        permissionModes: ['edit'],
      }
      await writeProgram(join(home, 'bin'), 'claude', SCRIPTED_CLAUDE)
      await writeFile(join(profiles, 'default.policy.json'), JSON.stringify(policy), { mode: 0o600 })
      child = begin()
      const ended = once(child, 'exit').then(([code]) => {
        throw new Error(`The runner ended with ${code} before it was ready.`)
      })
      await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])
      ended.catch(() => undefined)
    },
    async stop() {
      const ending = child
      child = null
      if (ending === null || ending.exitCode !== null) return
      ending.kill('SIGTERM')
      await once(ending, 'exit')
    },
  }
}
