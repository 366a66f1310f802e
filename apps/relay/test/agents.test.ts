import type { Runtime, RuntimeProbe } from '@baton/protocol'
import { connectApi, connectWireRunner, startTestRelay, type TestRelay } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

let relay: TestRelay
let api: ReturnType<typeof apiOf>

const apiOf = (token: string) => connectApi(relay.url, token)

beforeAll(async () => {
  relay = await startTestRelay()
  api = apiOf((await relay.setup<{ token: string }>({ wantToken: true })).token)
})
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]()
})

const probe = (runtime: Runtime, signedIn: RuntimeProbe['signedIn']): RuntimeProbe => ({
  runtime,
  installed: true,
  version: '1.0.0',
  path: `/bin/${runtime}`,
  signedIn,
  detail: '',
  commands: [],
  capabilities: ['resume', 'cancel'],
})

async function machineWith(name: string, runtimes: RuntimeProbe[]) {
  const { machine, key } = await api.machines.create.mutate({ name })
  await using _ = await connectWireRunner(relay.url, key, { runtimes })
  return machine
}

test('auto takes the best runtime that is signed in there, and both answers say which', async () => {
  const { id: machineId } = await machineWith('laptop', [probe('claude', 'no'), probe('gemini', 'yes')])
  const agent = await api.agents.create.mutate({ key: 'helper', machineId, runtime: 'auto' })
  expect(agent).toMatchObject({ runtime: 'gemini', capabilities: ['resume', 'cancel'] })
  const started = await api.runs.create.mutate({ agent: 'auto', prompt: 'Hello.' })
  expect(started.agent).toEqual({ id: agent.id, key: 'helper', runtime: 'gemini' })
  const { id: bare } = await machineWith('bare', [])
  await expect(api.agents.create.mutate({ key: 'none', machineId: bare, runtime: 'auto' })).rejects.toThrow(
    'claude: not installed',
  )
})

test('an agent of the protocol needs a command, a chat agent a model, and others take no command', async () => {
  const { id: machineId } = await machineWith('other', [])
  const create = (key: string, runtime: Runtime, more: { command?: string; model?: string } = {}) =>
    api.agents.create.mutate({ key, machineId, runtime, ...more })
  expect(await create('gem', 'acp', { command: 'gem' })).toMatchObject({ runtime: 'acp', command: 'gem' })
  expect(await create('talk', 'chat', { model: 'openai/gpt-x' })).toMatchObject({ model: 'openai/gpt-x' })
  await expect(create('no-command', 'acp')).rejects.toThrow('needs `command`')
  await expect(create('no-model', 'chat')).rejects.toThrow('needs `model`')
  await expect(create('odd', 'gemini', { command: 'gem' })).rejects.toThrow('take a command')
  await expect(api.agents.update.mutate({ id: 'talk', model: null })).rejects.toThrow('needs `model`')
})
