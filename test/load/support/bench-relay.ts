import type { AgentId, MachineId } from '@baton/protocol'
import { Baton } from '@baton/sdk'
import { startTestRelay, type TestRelay } from '@baton/testkit'
import type { BenchContext } from './context.ts'

export type BenchMachine = { id: MachineId; key: string; agentId: AgentId; agentKey: string }

export interface BenchRelay extends AsyncDisposable {
  relay: TestRelay
  token: string
  baton: Baton
  /** Machines with one agent each, whose runs each get a folder of their own, so that they do not wait for each other. */
  addMachines(count: number): Promise<BenchMachine[]>
  /** A job with a webhook in GitHub's scheme. */
  addHook(machine: BenchMachine, prompt: string): Promise<{ path: string; secret: string }>
}

let made = 0

/** A relay process of its own on the database of this run, quiet, as it runs in production otherwise. */
export async function startBenchRelay(
  context: BenchContext,
  env: Record<string, string> = {},
): Promise<BenchRelay> {
  const relay = await startTestRelay({
    databaseUrl: context.databaseUrl,
    env: { BATON_LOG_LEVEL: 'error', BATON_HOOK_RATE: '0', ...profiling(context), ...env },
  })
  const { token } = await relay.setup<{ token: string }>({ wantToken: true })
  const baton = new Baton({ url: relay.url, token })
  return {
    relay,
    token,
    baton,
    async addMachines(count) {
      const machines: BenchMachine[] = []
      for (let index = 0; index < count; index++) {
        const name = `bench-${++made}`
        const { machine, key } = await baton.raw.machines.create.mutate({ name })
        const agent = await baton.raw.agents.create.mutate({
          key: name,
          machineId: machine.id,
          runtime: 'command',
          command: 'none',
          workspace: 'scratch',
          maxConcurrent: 100,
        })
        machines.push({ id: machine.id, key, agentId: agent.id, agentKey: name })
      }
      return machines
    },
    async addHook(machine, prompt) {
      const { secrets } = await baton.raw.jobs.create.mutate({
        key: `bench-job-${++made}`,
        agent: machine.agentKey,
        prompt,
        triggers: [{ kind: 'webhook', scheme: 'github' }],
      })
      const [hook] = secrets
      if (!hook) throw new Error('The job was made without its webhook.')
      return { path: new URL(hook.url).pathname, secret: hook.secret }
    },
    [Symbol.asyncDispose]: async () => {
      if (relay.log()) context.say(`The relay logged:\n${relay.log()}`)
      await relay.kill('SIGTERM')
      await relay[Symbol.asyncDispose]()
    },
  }
}

function profiling({ profileDir }: BenchContext): Record<string, string> {
  return profileDir === null ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileDir}` }
}
