import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { PermissionMode, RunEvent, RunLimits, Runtime, RunView } from '@baton/protocol'
import type { Run } from '@baton/sdk'
import { eventually, type StandInModel, startStandInModel } from '@baton/testkit'
import { openHome } from '../e2e/support/open-home.ts'
import { type RunningDev, startDev } from '../e2e/support/start-dev.ts'
import type { RuntimeRow } from './runtimes.ts'

export type Asked = {
  prompt: string
  permissionMode?: PermissionMode
  limits?: Partial<RunLimits>
  /** Runs with the same one go on with one conversation of their agent. */
  conversation?: string
}
export type Ended = {
  view: RunView
  events: RunEvent[]
  /** Its last event. */
  finished: Extract<RunEvent, { type: 'finished' }>
}

/** Where one case runs: a folder in a repository of its own, and an agent of its own. */
export type CasePlace = {
  dev: RunningDev
  model: StandInModel
  folder: string
  toolless: boolean
  start(asked: Asked): Promise<Run>
  /** Starts it and waits for its end. */
  run(asked: Asked): Promise<Ended>
  until(run: Run): Promise<Ended>
  /** Removes the CLI's own sessions, as a person may do who cleans up. */
  loseSessions(): Promise<void>
}

export type AgentPlace = AsyncDisposable & { openCase(row: RuntimeRow, name: string): Promise<CasePlace> }

/** The real relay, runner and database, started as a person starts them, with the CLIs of these rows on the PATH. */
export async function openAgentPlace(
  rows: readonly { row: RuntimeRow; path: string }[],
): Promise<AgentPlace> {
  const model = await startStandInModel()
  const home = await openHome()
  const user = home.env.HOME ?? ''
  const bin = join(home.folder, 'bin')
  await mkdir(bin)
  for (const name of Object.keys(home.env))
    if (/^(OPENAI|CODEX|GEMINI|GOOGLE|OPENCODE)_/.test(name)) delete home.env[name]
  for (const { row, path } of rows) {
    await symlink(path, join(bin, row.name))
    Object.assign(home.env, await row.setUp(model, user))
  }
  home.env.PATH = [bin, dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':')
  const dev = await startDev(home)
  await allowEverything(home.env.BATON_HOME ?? '', rows)

  return {
    openCase: (row, name) => openCase(dev, model, user, row, name),
    async [Symbol.asyncDispose]() {
      await dev[Symbol.asyncDispose]()
      await home[Symbol.asyncDispose]()
      await model.stop()
    },
  }
}

/** The default policy has no full permissions, and may know fewer runtimes than there are. */
async function allowEverything(
  batonHome: string,
  rows: readonly { row: RuntimeRow; path: string }[],
): Promise<void> {
  const file = join(batonHome, 'config/profiles/default.policy.json')
  const policy = JSON.parse(await readFile(file, 'utf8'))
  const permissionModes = ['read_only', 'edit', 'full']
  const environment = rows.flatMap(({ row }) => row.environment ?? [])
  const own = rows.flatMap(({ row, path }) => (row.command ? [[row.name, row.command(path)]] : []))
  const commands = { ...policy.commands, ...Object.fromEntries(own) }
  await writeFile(file, JSON.stringify({ ...policy, permissionModes, environment, commands }), {
    mode: 0o600,
  })
}

async function openCase(
  dev: RunningDev,
  model: StandInModel,
  user: string,
  row: RuntimeRow,
  name: string,
): Promise<CasePlace> {
  const key = `${row.name}-${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`
  const folder = join(user, 'work', key)
  await mkdir(folder, { recursive: true })
  await promisify(execFile)('git', ['init', '-q', folder])
  const [machine] = await dev.baton.machines.list()
  if (!machine) throw new Error('There is no machine.')
  const agents = new Map<PermissionMode, string>()

  async function agentFor(permissionMode: PermissionMode): Promise<string> {
    const known = agents.get(permissionMode)
    if (known !== undefined) return known
    const own = `${key}-${permissionMode.replace('_', '-')}`
    await dev.baton.agents.create({
      key: own,
      machineId: machine?.id ?? '',
      runtime: row.runtime ?? (row.name as Runtime),
      permissionMode,
      workspace: folder,
      ...row.agent,
    })
    agents.set(permissionMode, own)
    return own
  }

  const place: CasePlace = {
    dev,
    model,
    folder,
    toolless: row.toolless ?? false,
    async start({ permissionMode = 'edit', prompt, limits, conversation }) {
      const agent = await agentFor(permissionMode)
      const { runId } = await dev.baton.raw.runs.create.mutate({
        prompt,
        agent,
        idempotencyKey: crypto.randomUUID(),
        ...(limits && { limits }),
        ...(conversation && { conversation }),
      })
      return dev.baton.runs.open(runId)
    },
    async loseSessions() {
      for (const name of row.sessions) await rm(join(user, name), { recursive: true })
    },
    run: async (asked) => await place.until(await place.start(asked)),
    async until(run) {
      const events: RunEvent[] = []
      for await (const event of run.events({ signal: AbortSignal.timeout(CASE_MS) })) events.push(event)
      const finished = events.at(-1)
      if (finished?.type !== 'finished') throw new Error(`The run ended with ${JSON.stringify(finished)}.`)
      return { view: await settled(run), events, finished }
    },
  }
  return place
}

const CASE_MS = 120_000

/** The last event comes a moment before the report of the end. */
async function settled(run: Run): Promise<RunView> {
  return await eventually(
    async () => {
      const view = await run.get()
      if (view.state === 'starting' || view.state === 'running') throw new Error(`still ${view.state}`)
      return view
    },
    { timeoutMs: 15_000 },
  )
}
