import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connection, connect, sql } from '@baton/db'
import type { RunView } from '@baton/protocol'
import { connectApi, createTestDatabase, eventually } from '@baton/testkit'
import { type ProfilePaths, profilePaths } from '../../src/config/paths.ts'
import { defaultPolicy, type Policy } from '../../src/config/policy.ts'
import { writeMachineKey, writeProfile } from '../../src/config/profile.ts'
import { demoAgentFile } from '../../src/entry.ts'
import { type RelayProcess, setUpRelay, startRelayProcess } from './relay-process.ts'
import { readStatus } from './runner-process.ts'

export type TestPlace = Awaited<ReturnType<typeof createTestPlace>>

/** A relay with its database, a machine registered with it, a home for that machine's runner, and a folder to work in. */
export async function createTestPlace() {
  const database = await createTestDatabase()
  const relay: RelayProcess = await startRelayProcess(database.url)
  const made = (await setUpRelay(database.url, {
    machineName: 'laptop',
    wantMachineKey: true,
    wantToken: true,
    agents: [{ key: 'demo', runtime: 'command', command: 'demo' }],
  })) as { machineId: `mch_${string}`; machineKey: string; token: string }
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'baton-runner-')))
  const workspace = join(folder, 'work')
  await mkdir(workspace)
  const api = connectApi(relay.url, made.token)
  const connection: Connection = connect(database.url, { max: 2, name: 'runner test' })

  /** A home of its own for one runner. */
  async function makeHome(name = 'home', url = relay.url, policy: Partial<Policy> = {}) {
    const home = join(folder, name)
    const folders = {
      config: `${home}/config`,
      state: `${home}/state`,
      data: `${home}/data`,
      cache: `${home}/cache`,
    }
    const paths = profilePaths(folders, 'default')
    await writeProfile(paths, { url, machineId: made.machineId, machineName: 'laptop' })
    await writeMachineKey(paths, made.machineKey)
    const demo = { argv: [process.execPath, demoAgentFile, '--pause', '0'], format: 'stream-json' as const }
    await writeFile(
      paths.policyFile,
      JSON.stringify({ ...defaultPolicy({ demo }), folders: [folder], ...policy }),
    )
    return { home, paths }
  }

  async function run(
    prompt: string,
    options: { workspace?: string | null; agent?: string; limits?: object } = {},
  ) {
    const { runId } = await api.runs.create.mutate({
      prompt,
      agent: options.agent ?? 'demo',
      workspace: options.workspace === undefined ? workspace : options.workspace,
      ...(options.limits ? { limits: options.limits } : {}),
    })
    return runId
  }

  const view = (id: string): Promise<RunView> => api.runs.get.query({ id })

  async function until(id: string, check: (run: RunView) => boolean, timeoutMs = 15_000): Promise<RunView> {
    return await eventually(
      async () => {
        const run = await view(id)
        if (!check(run)) throw new Error(`not yet: ${JSON.stringify({ ...run, prompt: undefined })}`)
        return run
      },
      { timeoutMs, everyMs: 25 },
    )
  }

  async function events(id: string): Promise<{ type: string; text?: string; [key: string]: unknown }[]> {
    const all: { seq: number; text: string }[] = []
    for (;;) {
      const { events: some } = await api.runs.transcript.query({
        id,
        fromSeq: (all.at(-1)?.seq ?? 0) + 1,
        limit: 500,
      })
      if (some.length === 0) return all.map(({ text }) => JSON.parse(text))
      all.push(...some)
    }
  }

  return {
    relay,
    api,
    folder,
    workspace,
    machineId: made.machineId,
    token: made.token,
    /** Another relay on the same database. */
    startSecondRelay: () => startRelayProcess(database.url),
    makeHome,
    run,
    view,
    until,
    untilFinished: (id: string, timeoutMs?: number) =>
      until(id, (run) => run.ladder.finishedAt !== null, timeoutMs),
    untilRunning: (id: string) => until(id, (run) => run.state === 'running'),
    events,
    /** Rows of the database itself, for what no view shows. */
    query: async <T>(text: string) => (await sql.raw<T>(text).execute(connection.db)).rows,
    async readSupervisor(home: string, id: string): Promise<{ supervisor: { pid: number } }> {
      return JSON.parse(await readFile(join(home, 'state/default/runs', id, 'supervisor.json'), 'utf8'))
    },
    /** The run as its runner shows it, with the process id of its agent. */
    untilAgent: (paths: ProfilePaths, id: string) =>
      eventually(async () => {
        const run = (await readStatus(paths)).runs.find(({ runId, pid }) => runId === id && pid !== null)
        if (!run) throw new Error('the agent has not been started')
        return run
      }),
    async [Symbol.asyncDispose]() {
      await connection.close()
      await relay.kill()
      await database[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
