import { access, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ApprovalView } from '@baton/protocol'
import { eventually, installAgentCli, type StandInModel, startStandInModel } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunnerProcess, startRunnerProcess } from '../../apps/runner/test/support/runner-process.ts'
import { createTestPlace, type TestPlace } from '../../apps/runner/test/support/test-place.ts'

/** The real Claude Code against the stand-in model, through a real relay and a runner that is killed on the way. */
let missing: string | null = null
let model: StandInModel
let place: TestPlace
let home: string
let env: Record<string, string>
let runner: RunnerProcess | null = null

beforeAll(async () => {
  const cli = await installAgentCli('claude')
  if ('missing' in cli) {
    missing = cli.missing
    return
  }
  model = await startStandInModel()
  place = await createTestPlace()
  home = (
    await place.makeHome('home', undefined, { environment: ['ANTHROPIC_BASE_URL', 'ANTHROPIC_API_KEY'] })
  ).home
  env = {
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: 'stand-in',
    HOME: place.folder,
    PATH: [dirname(cli.path), dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
  }
  const agent = { key: 'claude', machineId: place.machineId, runtime: 'claude' as const }
  await place.api.agents.create.mutate({ ...agent, approvals: { mode: 'ask' } })
  await startRunner()
}, 420_000)
afterAll(async () => {
  await runner?.[Symbol.asyncDispose]()
  await place?.[Symbol.asyncDispose]()
  await model?.[Symbol.asyncDispose]()
})

async function startRunner() {
  runner = startRunnerProcess(home, { env })
  await runner.ready
}

const start = (prompt: string) => place.run(prompt, { agent: 'claude' })
const untilAsked = (id: string) =>
  eventually(
    async () => {
      const { items } = await place.api.approvals.list.query({ runId: id })
      const open = items.find(({ state }) => state === 'open')
      if (!open) throw new Error(`nothing is asked: ${JSON.stringify((await place.events(id)).slice(-3))}`)
      return open as ApprovalView
    },
    { timeoutMs: 30_000 },
  )
const isThere = (file: string) =>
  access(file).then(
    () => true,
    () => false,
  )

test('Claude Code asks for a command, its runner is killed, and the answer still does exactly that', {
  timeout: 120_000,
}, async ({ skip }) => {
  if (missing) return skip(missing)
  const file = join(place.folder, 'approved.txt')
  const id = await start(`@shell echo approved > ${file}\n@say Done so.`)
  const approval = await untilAsked(id)
  expect(approval).toMatchObject({ tool: 'Bash', summary: `echo approved > ${file}`, cwd: place.workspace })
  await runner?.kill('SIGKILL')
  await startRunner()
  expect(await isThere(file)).toBe(false)
  await place.api.approvals.answer.mutate({ id: approval.id, decision: 'allow' })
  const run = await place.untilFinished(id, 40_000)
  expect(run).toMatchObject({ state: 'succeeded', result: 'Done so.', transcript: { complete: true } })
  expect(await readFile(file, 'utf8')).toBe('approved\n')
})

test('Claude Code goes on without what was denied or what nobody answered', { timeout: 120_000 }, async ({
  skip,
}) => {
  if (missing) return skip(missing)
  for (const end of ['deny', 'expire'] as const) {
    const file = join(place.folder, `${end}.txt`)
    const id = await start(`@shell echo no > ${file}\n@say Went on.`)
    const { id: approval } = await untilAsked(id)
    if (end === 'deny')
      await place.api.approvals.answer.mutate({ id: approval, decision: 'deny', message: 'No.' })
    else await place.query(`update approvals set expires_at = now() where id = '${approval}'`)
    const run = await place.untilFinished(id, 40_000)
    expect(run.result).toBe('Went on.')
    expect(run.outcome).toBe('blocked_by_permission')
    expect(await isThere(file)).toBe(false)
  }
})

test('Claude Code takes up what a person says while it works, and lets go when it is interrupted', {
  timeout: 120_000,
}, async ({ skip }) => {
  if (missing) return skip(missing)
  const steered = await start('@shell sleep 3\n@say Never said.')
  await eventually(async () =>
    expect((await place.events(steered)).map(({ type }) => type)).toContain('tool_started'),
  )
  await place.api.runs.steer.mutate({ id: steered, text: '@say You said something while I worked.' })
  const run = await place.untilFinished(steered, 40_000)
  expect(run).toMatchObject({ state: 'succeeded', result: 'You said something while I worked.' })
  const states = (await place.events(steered))
    .filter(({ type }) => type === 'steer')
    .map(({ state }) => state)
  expect(states).toEqual(['queued', 'consumed'])

  const interrupted = await start('@shell sleep 60\n@say Never said.')
  await eventually(async () =>
    expect((await place.events(interrupted)).map(({ type }) => type)).toContain('tool_started'),
  )
  await place.api.runs.interrupt.mutate({ id: interrupted })
  expect(await place.untilFinished(interrupted, 40_000)).toMatchObject({ state: 'cancelled' })
})
