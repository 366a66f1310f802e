import { mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { DispatchView } from '@baton/protocol'
import { eventually } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunnerProcess, startRunnerProcess } from './support/runner-process.ts'
import { createTestPlace, type TestPlace } from './support/test-place.ts'

let place: TestPlace
let runner: RunnerProcess
let home: string
let jobs = 0

beforeAll(async () => {
  place = await createTestPlace()
  home = (await place.makeHome()).home
  runner = startRunnerProcess(home)
  await runner.ready
}, 60_000)
afterAll(async () => {
  await runner?.[Symbol.asyncDispose]()
  await place?.[Symbol.asyncDispose]()
})

type Outputs = NonNullable<Parameters<TestPlace['api']['jobs']['create']['mutate']>[0]['outputs']>

/** Runs a job with these outputs; answers its dispatches when all have ended. */
async function runWith(
  outputs: Outputs,
  prompt = '@demo ok',
): Promise<{ runId: string; ended: () => Promise<DispatchView[]> }> {
  const key = `out-${++jobs}`
  await place.api.jobs.create.mutate({ key, agent: 'demo', prompt, workspace: place.workspace, outputs })
  const { runId } = await place.api.jobs.run.mutate({ id: key })
  const ended = () =>
    eventually(
      async () => {
        const { dispatches } = await place.view(runId)
        const isOver =
          dispatches.length > 0 && dispatches.every(({ state }) => state !== 'pending' && state !== 'sending')
        if (!isOver) throw new Error(`not yet: ${JSON.stringify(dispatches)}`)
        return dispatches.toSorted((one, other) => (one.target < other.target ? -1 : 1))
      },
      { timeoutMs: 20_000, everyMs: 50 },
    )
  return { runId, ended }
}

test('results are appended to a file in the workspace of the run, and said in the log of the runner', async () => {
  const body = '{{ job.key }} {{ run.outcome }}\n'
  const outputs: Outputs = [
    { kind: 'file', config: { path: 'reports/{{ agent.key }}.txt' }, text: { body } },
    { kind: 'stdout', text: { body: 'said {{ run.id }}' } },
  ]
  const first = await (await runWith(outputs)).ended()
  const second = await runWith(outputs)
  await second.ended()
  expect(first).toMatchObject([
    { state: 'sent', kind: 'file', externalId: join(place.workspace, 'reports/demo.txt') },
    { state: 'sent', kind: 'stdout' },
  ])
  expect(await readFile(join(place.workspace, 'reports/demo.txt'), 'utf8')).toBe('out-1 done\nout-2 done\n')
  expect(await readFile(join(home, 'state/default/runner.log'), 'utf8')).toContain(`said ${second.runId}`)
})

test('a file outside the workspace and the policy, or behind a link, is refused with the reason', async () => {
  await mkdir(join(place.folder, 'elsewhere'))
  await symlink(join(place.folder, 'elsewhere'), join(place.workspace, 'linked'))
  const { ended } = await runWith([
    { kind: 'file', config: { path: '/etc/baton-was-here' } },
    { kind: 'file', config: { path: 'linked/x.txt' } },
    { kind: 'file', config: { path: '../up.txt' } },
    { kind: 'file', config: { path: '.git/hooks/post-commit' } },
  ])
  const dispatches = await ended()
  expect(dispatches.map(({ state }) => state)).toEqual(['failed', 'failed', 'failed', 'failed'])
  expect(dispatches.map(({ lastError }) => lastError)).toEqual([
    expect.stringContaining('upwards'),
    expect.stringContaining('.git folder'),
    expect.stringContaining('outside the workspace'),
    expect.stringContaining('a link or a file stands where a folder should be'),
  ])
})

test('a runner that is killed and started again while it writes leaves each result once', async () => {
  const path = 'killed.txt'
  const outputs: Outputs = [{ kind: 'file', config: { path }, text: { body: '{{ run.id }}\n' } }]
  const started = await Promise.all([1, 2, 3].map(() => runWith(outputs)))
  await eventually(
    async () => expect((await place.view(started[0]?.runId ?? '')).dispatches).not.toEqual([]),
    {
      timeoutMs: 20_000,
    },
  )
  await runner.kill('SIGKILL')
  runner = startRunnerProcess(home)
  await runner.ready
  await place.query("update dispatches set next_at = now() where state in ('pending', 'sending')")
  for (const { ended } of started) expect(await ended()).toMatchObject([{ state: 'sent' }])
  const lines = (await readFile(join(place.workspace, path), 'utf8')).trim().split('\n')
  expect(lines.toSorted()).toEqual(started.map(({ runId }) => runId).toSorted())
}, 60_000)

test('while the machine is away its output waits and says so', async () => {
  const { runId } = await runWith([{ kind: 'file', on: 'accepted', config: { path: 'away.txt' } }])
  await place.untilFinished(runId)
  await eventually(async () => expect((await place.view(runId)).dispatches[0]?.state).toBe('sent'))
  await runner.kill('SIGTERM')
  await place.query(
    `update dispatches set state = 'pending', next_at = now(), finished_at = null where run_id = '${runId}'`,
  )
  const [waiting] = (await place.view(runId)).dispatches
  expect(waiting?.sentence).toBe('Waits for laptop, which is offline.')
  runner = startRunnerProcess(home)
  await runner.ready
  await eventually(async () => expect((await place.view(runId)).dispatches[0]?.state).toBe('sent'), {
    timeoutMs: 20_000,
  })
  const once = (await readFile(join(place.workspace, 'away.txt'), 'utf8')).split('has taken it on').length - 1
  expect(once).toBe(1)
}, 60_000)
