import { createHmac, randomUUID } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pathWithClaude } from './support/path-with-claude.ts'
import { type RunnerProcess, startRunnerProcess } from './support/runner-process.ts'
import { createTestPlace, type TestPlace } from './support/test-place.ts'

const SECRET = `sk-canary-${randomUUID()}`

let place: TestPlace
let home: string
let runner: RunnerProcess
let env: Record<string, string>

beforeAll(async () => {
  place = await createTestPlace()
  home = (await place.makeHome('home', place.relay.url, { environment: ['DEPLOY_TOKEN', 'EXTRA'] })).home
  env = { PATH: await pathWithClaude(place.folder, 'kit-claude.ts'), EXTRA: 'extra' }
  runner = startRunnerProcess(home, { env })
  await runner.ready
}, 60_000)
afterAll(async () => {
  await runner?.[Symbol.asyncDispose]()
  await place?.[Symbol.asyncDispose]()
})

/** An agent of its own, so that no test blocks another one's account. */
async function makeAgent(more: object = {}) {
  const key = `kit-${randomUUID().slice(0, 8)}`
  await place.api.agents.create.mutate({ key, machineId: place.machineId, runtime: 'claude', ...more })
  return key
}
const start = async (prompt: string, agent: string, more: object = {}) =>
  (await place.api.runs.create.mutate({ prompt, agent, ...more })).runId
const finish = async (prompt: string, agent: string, more: object = {}) =>
  place.untilFinished(await start(prompt, agent, more), 30_000)
type Shown = { args: string[]; names: string[]; instructions: string; cwd: string }
const shown = (result: string | null) => JSON.parse(result ?? '{}') as Shown
const flag = ({ args }: Shown, name: string) => args[args.indexOf(name) + 1]

/** Every file under a folder that holds the text. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const held = await Promise.all(
    files.map(async (file) => ((await readFile(file)).includes(text) ? [file] : [])),
  )
  return held.flat()
}

test('an agent is told its instructions, its memory and its skills, and its memory outlives a run', async () => {
  const agent = await makeAgent({ instructions: 'Be brief.' })
  await place.api.skills.add.mutate({
    agent,
    name: 'release-notes',
    text: '---\ndescription: Writes release notes\n---\nDo it so.',
  })
  const first = shown((await finish('@show', agent)).result)
  const folder = join(home, 'data/default/agents', agent)
  expect(first.instructions).toMatch(/^Be brief\./)
  expect(first.instructions).toContain(`${folder}/MEMORY.md`)
  expect(first.instructions).toContain(`${folder}/skills/release-notes/SKILL.md: Writes release notes`)
  expect(flag(first, '--add-dir')).toBe(folder)
  expect(await readFile(join(folder, 'skills/release-notes/SKILL.md'), 'utf8')).toContain('Do it so.')
  await writeFile(join(folder, 'MEMORY.md'), 'Remember this.')
  await place.api.skills.remove.mutate({ agent, name: 'release-notes' })
  const second = shown((await finish('@show', agent)).result)
  expect(second.instructions).not.toContain('release-notes')
  expect(await readdir(join(folder, 'skills'))).toEqual([])
  expect(await readFile(join(folder, 'MEMORY.md'), 'utf8')).toBe('Remember this.')
})

test('a secret reaches the child and comes out nowhere: no event, row, log or file', async () => {
  const agent = await makeAgent()
  await place.api.secrets.set.mutate({ agent, name: 'DEPLOY_TOKEN', value: SECRET })
  const run = await finish('@tell DEPLOY_TOKEN', agent)
  expect(run.state).toBe('succeeded')
  const events = await place.events(run.id)
  expect(JSON.stringify(events)).toContain('It is ***DEPLOY_TOKEN***.')
  const output = (stream: string) =>
    events
      .filter((event) => event.type === 'output' && event.stream === stream)
      .map((event) => event.text)
      .join('')
  expect(output('stderr')).toContain('stderr ***DEPLOY_TOKEN***\n')
  const report = await place.api.runs.spawn.query({ id: run.id })
  expect(report).toMatchObject({
    runtime: 'claude',
    version: '2.1.328',
    secretNames: ['DEPLOY_TOKEN'],
    environmentNames: expect.arrayContaining(['DEPLOY_TOKEN', 'PATH']),
    exit: { exitCode: 0 },
    stderrTail: expect.stringContaining('***DEPLOY_TOKEN***'),
  })
  expect(JSON.stringify({ run, events, report })).not.toContain(SECRET.slice(0, 20))
  expect(await place.api.secrets.list.query({ agent })).toEqual([
    { name: 'DEPLOY_TOKEN', updatedAt: expect.any(Number), value: '***' },
  ])
  for (const table of ['agent_secrets', 'runs', 'run_events', 'deliveries', 'events', 'agents']) {
    const [row] = await place.query<{ held: boolean }>(
      `select coalesce(bool_or(t::text like '%${SECRET}%'), false) as held from ${table} t`,
    )
    expect(row?.held, table).toBe(false)
  }
  expect(await filesWith(home, SECRET)).toEqual([])
})

test("a secret that this machine's policy does not name is refused with what to do", async () => {
  const agent = await makeAgent()
  await place.api.secrets.set.mutate({ agent, name: 'OTHER_TOKEN', value: SECRET })
  const run = await finish('@show', agent)
  expect(run).toMatchObject({ state: 'failed', errorKind: 'policy' })
  expect(run.message).toContain('OTHER_TOKEN')
  const taken = place.api.secrets.set.mutate({ agent, name: 'LD_PRELOAD', value: SECRET })
  await expect(taken).rejects.toThrow(/decides which code runs/)
})

test('follow-ups go on with the conversation, and one that is gone is started afresh', async () => {
  const agent = await makeAgent()
  const first = await finish('hello', agent)
  const second = await finish('and now', 'auto', { continue: first.id })
  expect(second).toMatchObject({
    result: 'resumed: and now',
    conversation: first.id,
    sessionId: first.sessionId,
  })
  expect(second.agent.key).toBe(agent)
  const named = await finish('one', agent, { conversation: 'review' })
  expect(named.result).toBe('new: one')
  expect((await finish('two', 'auto', { continue: 'review' })).result).toBe('resumed: two')
  await place.query(`update agent_sessions set session_id = '00000000-0000-4000-8000-000000000000'
    where conversation = 'review'`)
  const id = await start('three', agent, { conversation: 'review' })
  const [delivery] = await place.query<{ delivery_id: string }>(
    `select id as delivery_id from deliveries where run_id = '${id}'`,
  )
  const third = await place.until(delivery?.delivery_id ?? '', (run) => run.state === 'succeeded', 30_000)
  expect(third).toMatchObject({ result: 'new: three', attempt: 2 })
  expect(third.attempts.map(({ status }) => status)[0]).toBe('failed')
})

test('a used-up account parks its work, says until when, and goes on with a nudge', async () => {
  const agent = await makeAgent()
  const id = await start('@quota 3600', agent)
  const parked = await place.until(id, (run) => run.deliveryState === 'parked', 30_000)
  expect(parked).toMatchObject({
    status: 'waiting',
    errorKind: 'quota',
    ladder: { finishedAt: expect.anything() },
  })
  expect(parked.parkedUntil).toBeGreaterThan(Date.now() + 3_500_000)
  const view = await place.api.agents.get.query({ id: agent })
  expect(view).toMatchObject({ state: 'error', blocked: { reason: 'quota' } })
  expect(view.cause).toContain('is used up until')
  const why = await place.api.why.explain.query({ id })
  expect(why.conditions.map(({ code }) => code)).toContain('parked_quota')
  await place.api.agents.resume.mutate({ id: agent })
  const done = await place.until(parked.deliveryId, (run) => run.state === 'succeeded', 30_000)
  expect(done).toMatchObject({ result: 'resumed: Go on where you were interrupted.', attempt: 2 })
})

test('an agent that is not signed in is stopped, and its work waits', async () => {
  const agent = await makeAgent()
  const id = await start('@signed-out', agent)
  await place.until(id, (run) => run.deliveryState === 'pending' && run.attempt === 1, 30_000)
  const view = await place.api.agents.get.query({ id: agent })
  expect(view).toMatchObject({ state: 'error', blocked: { reason: 'not_signed_in', until: null } })
  expect(view.cause).toContain(`baton agent resume ${agent}`)
  const why = await place.api.why.explain.query({ id })
  expect(why.conditions.map(({ code }) => code)).toContain('agent_not_signed_in')
  await writeFile(join(home, 'data/default/workspaces', agent, '.signed-in'), '')
  await place.api.agents.resume.mutate({ id: agent })
  const { deliveryId } = await place.view(id)
  await place.until(deliveryId, (run) => run.state === 'succeeded', 30_000)
})

test('a budget of a run ends it after the call that used it up, and usage is summed', async () => {
  const budget = { runUsd: null, runTokens: 2_500, dayUsd: null, dayTokens: null }
  const agent = await makeAgent({ budget })
  const run = await finish('@burn', agent)
  expect(run).toMatchObject({ state: 'failed', errorKind: 'budget' })
  expect(run.message).toContain('2500 tokens')
  const calls = (await place.events(run.id)).filter(({ type }) => type === 'message')
  expect(calls.length).toBeGreaterThanOrEqual(3)
  expect(calls.length).toBeLessThanOrEqual(6)
  await place.api.agents.update.mutate({ id: agent, budget: null })
  await finish('@show', agent)
  const usage = await place.api.usage.sum.query({ by: 'agent', agent })
  // What an ended agent used counts too, although it never summed it up.
  const burnt = run.usage?.inputTokens ?? 0
  expect(burnt).toBeGreaterThanOrEqual(2_500)
  expect(usage.rows).toMatchObject([{ name: agent, costUsd: 0.25, inputTokens: burnt + 100 }])
})

test('what came by webhook gets the least power, and more only where job and policy agree', async () => {
  const agent = await makeAgent({ permissionMode: 'edit' })
  await place.api.secrets.set.mutate({ agent, name: 'DEPLOY_TOKEN', value: SECRET })
  const { job, secrets } = await place.api.jobs.create.mutate({
    key: `${agent}-job`,
    agent,
    prompt: '@show',
    triggers: [{ kind: 'webhook', scheme: 'github' }],
  })
  const [hook] = secrets
  if (!hook) throw new Error('The job has no webhook.')
  const fire = async () => {
    const body = JSON.stringify({
      ref: 'refs/heads/main',
      before: '0',
      after: randomUUID(),
      commits: [],
      repository: {},
      pusher: {},
    })
    const response = await fetch(hook.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'push',
        'x-github-delivery': randomUUID(),
        'x-hub-signature-256': `sha256=${createHmac('sha256', hook.secret).update(body).digest('hex')}`,
      },
      body,
    })
    const { deliveries } = (await response.json()) as { deliveries: string[] }
    return place.untilFinished(deliveries[0] ?? '', 30_000)
  }
  const run = await fire()
  const least = shown(run.result)
  expect(run.trust).toBe('public')
  expect(least.names).not.toContain('DEPLOY_TOKEN')
  expect(least.names).not.toContain('EXTRA')
  expect(flag(least, '--permission-mode')).toBe('default')
  expect(least.cwd).toContain('/.scratch/')
  expect(least.instructions).not.toContain('MEMORY.md')
  expect((await place.api.runs.spawn.query({ id: run.id }))?.limited.join()).toContain('from outside')

  const paths = join(home, 'config/profiles/default.policy.json')
  const policy = JSON.parse(await readFile(paths, 'utf8')) as object
  const grant = { permissionModes: ['edit'], folders: [], environment: ['EXTRA'], trustedJobs: [job.key] }
  await writeFile(paths, JSON.stringify({ ...policy, public: grant }))
  const alone = shown((await fire()).result)
  expect(flag(alone, '--permission-mode')).toBe('default')
  expect(alone.names).toContain('EXTRA')

  await place.api.jobs.update.mutate({ id: job.id, rules: { publicMode: 'edit' } })
  expect(flag(shown((await fire()).result), '--permission-mode')).toBe('acceptEdits')
  await place.api.jobs.update.mutate({ id: job.id, rules: { trust: 'member' } })
  const trusted = shown((await fire()).result)
  expect(trusted.names).toContain('DEPLOY_TOKEN')
  expect(trusted.instructions).toContain('MEMORY.md')
})

test("another organization's agents have no secrets, skills or conversations here", async () => {
  const missing = { agent: 'agt_00000000000070008000000000000000' }
  await expect(place.api.secrets.list.query(missing)).rejects.toThrow(/There is no agent/)
  await expect(place.api.skills.list.query(missing)).rejects.toThrow(/There is no agent/)
  await expect(place.api.sessions.list.query(missing)).rejects.toThrow(/There is no agent/)
  await expect(place.api.usage.sum.query(missing)).rejects.toThrow(/There is no agent/)
})
