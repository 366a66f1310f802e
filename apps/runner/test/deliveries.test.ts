import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { markedWithRun } from './support/marked-with-run.ts'
import { type RunnerProcess, startRunnerProcess, untilIdle } from './support/runner-process.ts'
import { createTestPlace, type TestPlace } from './support/test-place.ts'

let place: TestPlace
let runner: RunnerProcess
let paths: Awaited<ReturnType<TestPlace['makeHome']>>['paths']

beforeAll(async () => {
  place = await createTestPlace()
  const made = await place.makeHome()
  paths = made.paths
  const policy = JSON.parse(await readFile(paths.policyFile, 'utf8'))
  policy.commands.gone = { argv: ['/nowhere/agent'], format: 'text' }
  await writeFile(paths.policyFile, JSON.stringify(policy))
  runner = startRunnerProcess(made.home)
  await runner.ready
}, 60_000)
afterAll(async () => {
  await runner?.[Symbol.asyncDispose]()
  await place?.[Symbol.asyncDispose]()
})

test('a delivery runs to its end and its transcript is complete', async () => {
  const id = await place.run('@demo write made/by-agent.txt hello\n@demo lines 20 0')
  const run = await place.untilFinished(id)
  expect(run).toMatchObject({ state: 'succeeded', outcome: 'done', exitCode: 0, workspace: place.workspace })
  expect(run.transcript).toMatchObject({ complete: true, missing: [] })
  expect(run.transcript.hash).toBe(run.transcript.expectedHash)
  expect(await readFile(join(place.workspace, 'made/by-agent.txt'), 'utf8')).toBe('hello\n')
  const events = await place.events(id)
  expect(events.map((event) => event.type)).toEqual(expect.arrayContaining(['started', 'session', 'result']))
  expect(events.filter((event) => event.type === 'finished')).toHaveLength(1)
  expect(events.at(-1)?.type).toBe('finished')
})

test('of a finished run only the report of its start and end stays on the disk', async () => {
  const id = await place.run('@demo ok')
  await place.untilFinished(id)
  await untilIdle(paths)
  expect(await readdir(join(paths.runsFolder, id))).toEqual(['last-spawn.json'])
  const report = JSON.parse(await readFile(join(paths.runsFolder, id, 'last-spawn.json'), 'utf8'))
  expect(report).toMatchObject({ cwd: place.workspace, exit: { exitCode: 0 } })
  expect(report.environmentNames).toContain('PATH')
})

test('an agent without a workspace gets a folder of its own', async () => {
  const id = await place.run('@demo write note.txt mine', { workspace: null })
  await place.untilFinished(id)
  expect(await readFile(join(paths.workspacesFolder, 'demo', 'note.txt'), 'utf8')).toBe('mine\n')
})

test('an agent that fails is told with its exit code', async () => {
  const id = await place.run('@demo fail 7')
  expect(await place.untilFinished(id)).toMatchObject({ state: 'failed', outcome: 'error', exitCode: 7 })
})

const refusals = [
  {
    what: 'a missing workspace',
    options: () => ({ workspace: join(place.folder, 'not-there') }),
    kind: 'workspace',
    says: ['not-there does not exist', 'make the folder'],
  },
  {
    what: 'a workspace that is a file',
    options: () => ({ workspace: paths.policyFile }),
    kind: 'workspace',
    says: ['is not a folder'],
  },
  {
    what: 'a folder that the policy does not name',
    options: () => ({ workspace: '/usr' }),
    kind: 'policy',
    says: ["This machine's policy allows no runs in /usr"],
  },
  {
    what: 'a permission mode that the policy does not name',
    options: async () => ({ agent: await agent({ permissionMode: 'full' }) }),
    kind: 'policy',
    says: ['permission mode "full"'],
  },
  {
    what: 'a command that the policy does not name',
    options: async () => ({ agent: await agent({ command: 'rm' }) }),
    kind: 'policy',
    says: ['no command "rm"'],
  },
  {
    what: 'an agent that is not installed',
    options: async () => ({ agent: await agent({ command: 'gone' }) }),
    kind: 'agent_missing',
    says: ['/nowhere/agent'],
  },
]

let made = 0
async function agent(only: { command?: string; permissionMode?: 'full' }): Promise<string> {
  made += 1
  const { key } = await place.api.agents.create.mutate({
    key: `agent-${made}`,
    machineId: place.machineId,
    runtime: 'command',
    command: 'demo',
    ...only,
  })
  return key
}

test.each(refusals)('$what is refused for good, with what to do', async ({ options, kind, says }) => {
  const id = await place.run('@demo write never.txt no', await options())
  const run = await place.until(id, (now) => now.deliveryState === 'failed')
  expect(run.errorKind ?? run.sentence).toBeTruthy()
  for (const words of says) expect(run.sentence + (run.message ?? '')).toContain(words)
  const [row] = await place.query<{ reason: string }>(
    `select reason from deliveries where id = '${run.deliveryId}'`,
  )
  expect(row?.reason).toBe(kind)
  expect(await readdir(place.workspace)).not.toContain('never.txt')
})

test('a cancelled run is over within two seconds, leaves no process and says why', async () => {
  const id = await place.run('@demo ignore-term\n@demo setsid\n@demo fork\n@demo hang')
  await place.untilRunning(id)
  await place.until(id, (run) => run.transcript.events >= 4)
  expect(markedWithRun(id).length).toBeGreaterThan(1)
  const askedAt = performance.now()
  await place.api.runs.cancel.mutate({ id, reason: 'enough' })
  const run = await place.until(id, (now) => now.state === 'cancelled')
  expect(performance.now() - askedAt).toBeLessThan(2_000)
  expect(markedWithRun(id)).toEqual([])
  expect(run.killProof).toMatchObject({ survivors: 0 })
  expect(run.message).toBe('Cancelled: enough')
  const events = await place.events(id)
  expect(events.slice(-2)).toMatchObject([
    { type: 'killed', reason: 'Cancelled: enough', proof: { survivors: 0 } },
    { type: 'finished', state: 'cancelled', message: 'Cancelled: enough' },
  ])
})

test('an agent that prints nothing for too long is ended', async () => {
  const id = await place.run('@demo hang', { limits: { silenceMs: 1_000 } })
  expect(await place.untilFinished(id)).toMatchObject({ state: 'timed_out', errorKind: 'timeout_silence' })
})

test('an agent that goes on for too long is ended, however much it prints', async () => {
  const id = await place.run('@demo lines 1000 20', { limits: { wallMs: 1_000 } })
  expect(await place.untilFinished(id)).toMatchObject({ state: 'timed_out', errorKind: 'timeout_wall' })
})

test('two runs in one workspace follow one another', async () => {
  const ids = await Promise.all([1, 2, 3].map(() => place.run('@demo lines 10 20')))
  const runs = await Promise.all(ids.map((id) => place.untilFinished(id)))
  const spans = runs
    .map(({ ladder }) => [ladder.startedAt ?? 0, ladder.finishedAt ?? 0] as const)
    .toSorted((a, b) => a[0] - b[0])
  for (const [at, [start]] of spans.entries()) expect(start).toBeGreaterThanOrEqual(spans[at - 1]?.[1] ?? 0)
})

test('a flood of output keeps the memory of the runner bounded and says what was left out', async () => {
  await place.untilFinished(await place.run('@demo flood 4m'))
  const before = await residentMiB(runner.pid)
  const id = await place.run('@demo flood 96m\n@demo text 3 0')
  const run = await place.untilFinished(id, 90_000)
  const grown = (await residentMiB(runner.pid, 'VmHWM')) - before
  expect(run).toMatchObject({ state: 'succeeded', transcript: { complete: true } })
  const events = await place.events(id)
  const cut = events.find((event) => event.type === 'cut')
  expect(cut?.droppedBytes).toBeGreaterThan(30 * 1024 * 1024)
  const tail = events.filter((event) => event.type === 'output').slice(-5)
  expect(tail.map((event) => event.text).join('')).toContain('plain line 3')
  expect(grown).toBeLessThan(64)
}, 120_000)

async function residentMiB(pid: number, field = 'VmRSS'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
}
