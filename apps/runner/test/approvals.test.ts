import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ApprovalView, RunView } from '@baton/protocol'
import { Baton } from '@baton/sdk'
import { eventually } from '@baton/testkit'
import { expect, test } from 'vitest'
import { entryFile } from '../src/entry.ts'
import { isThere, withAskingAgent } from './support/with-asking-agent.ts'

const { place, startRunner, killRunner, inHome, made, start, untilAsked, untilApproval, allow, typesOf } =
  withAskingAgent()

test('a run waits for its answer, says so, and does what was allowed and nothing before', async () => {
  const file = made('allowed')
  const id = await start(`@ask echo yes > ${file}`)
  const approval = await untilAsked(id)
  expect(approval).toMatchObject({
    state: 'open',
    tool: 'Bash',
    summary: `echo yes > ${file}`,
    agent: { key: 'asks' },
  })
  expect(await place.view(id)).toMatchObject({
    status: 'waiting',
    state: 'running',
    sentence: `Waiting for approval: Bash echo yes > ${file}.`,
    openApprovals: [{ id: approval.id }],
  })
  expect(await place.api.why.explain.query({ id })).toMatchObject({
    conditions: [{ code: 'approval', command: `baton approval allow ${approval.id}` }],
  })
  expect(await isThere(file)).toBe(false)
  expect(await allow(approval.id)).toMatchObject({ state: 'allowed', scope: 'once', answeredVia: 'sdk' })
  const run = await place.untilFinished(id)
  expect(run).toMatchObject({ state: 'succeeded', openApprovals: [], transcript: { complete: true } })
  expect(await readFile(file, 'utf8')).toBe('yes\n')
  expect(await typesOf(id)).toEqual(expect.arrayContaining(['approval_asked', 'approval_answered']))
  await expect(allow(approval.id)).rejects.toThrow(/allowed already by .* The first answer counts/)
  expect(
    (await untilApproval(approval.id, (one) => one.answer?.state === 'delivered')).answer?.reason,
  ).toBeNull()
})

test('a no reaches the agent with its reason, and the run goes on without', async () => {
  const id = await start(`@ask echo no > ${made('denied')}\n@say Went on.`)
  const { id: approval } = await untilAsked(id)
  await place.api.approvals.answer.mutate({ id: approval, decision: 'deny', message: 'Not on a Friday.' })
  const run = await place.untilFinished(id)
  expect(run.errorKind).toBe('permission_denied')
  expect(await isThere(made('denied'))).toBe(false)
  const events = await place.events(id)
  expect(events.find(({ type }) => type === 'tool_finished')?.output).toContain('Not on a Friday.')
})

test('a runner that was killed while its agent asked takes the answer to the right question', async () => {
  const file = made('after-kill')
  const id = await start(`@ask echo first > ${file}\n@ask echo second >> ${file}`)
  const first = await untilAsked(id)
  await killRunner()
  await startRunner()
  await allow(first.id)
  const second = await untilAsked(id, 2)
  expect(second.id).not.toBe(first.id)
  // This one is answered while no runner is there, and the relay is killed before it comes back.
  await killRunner()
  await allow(second.id)
  await place.relay.kill()
  await place.relay.start()
  await startRunner()
  const run = await place.untilFinished(id, 40_000)
  expect(run).toMatchObject({ state: 'succeeded', transcript: { complete: true } })
  expect(await readFile(file, 'utf8')).toBe('first\nsecond\n')
  expect((await place.api.approvals.list.query({ runId: id })).items.map(({ state }) => state)).toEqual([
    'allowed',
    'allowed',
  ])
  expect((await typesOf(id)).filter((type) => type === 'approval_asked')).toHaveLength(2)
}, 60_000)

test('a run is asked once where its session or its job allows the same again', async () => {
  const command = `echo x >> ${made('session')}`
  const inSession = await start(`@ask ${command}\n@ask ${command}`)
  await allow((await untilAsked(inSession)).id, { scope: 'session' })
  await place.untilFinished(inSession)
  expect(await readFile(made('session'), 'utf8')).toBe('x\nx\n')
  expect((await place.api.approvals.list.query({ runId: inSession })).items).toHaveLength(1)
  expect((await place.events(inSession)).filter((event) => event.by === 'the allow-list')).toHaveLength(1)

  const { job } = await place.api.jobs.create.mutate({
    key: 'keeps',
    agent: 'asks',
    prompt: '@ask touch kept',
  })
  const first = await place.api.jobs.run.mutate({ id: job.id })
  await allow((await untilAsked(first.runId)).id, { scope: 'job', pattern: 'Bash(touch *)' })
  await place.untilFinished(first.runId)
  expect((await place.api.jobs.get.query({ id: job.id })).approvals).toEqual({ allow: ['Bash(touch *)'] })
  const second = await place.api.jobs.run.mutate({ id: job.id })
  expect(await place.untilFinished(second.runId)).toMatchObject({ state: 'succeeded' })
  expect((await place.api.approvals.list.query({ runId: second.runId })).items).toEqual([])
  await place.api.jobs.update.mutate({ id: job.id, approvals: { allow: [] } })
  const third = await place.api.jobs.run.mutate({ id: job.id })
  await untilAsked(third.runId)
  await place.api.runs.cancel.mutate({ id: third.runId })
  await place.untilFinished(third.runId)
}, 60_000)

test('an answer to another action than the one that is asked is refused by the machine', async () => {
  const file = made('other-action')
  const id = await start(`@ask echo x > ${file}`)
  const { id: approval } = await untilAsked(id)
  await place.query(`update approvals set action_hash = repeat('0', 64) where id = '${approval}'`)
  await allow(approval)
  expect((await untilApproval(approval, (one) => one.answer?.state === 'refused')).answer?.reason).toMatch(
    /another action/,
  )
  expect((await place.view(id)).state).toBe('running')
  await place.api.runs.cancel.mutate({ id })
  await place.untilFinished(id)
  expect(await isThere(file)).toBe(false)
})

test('what nobody answers is denied when its time is over, by the clock of the database', async () => {
  const id = await start(`@ask echo x > ${made('expired')}\n@say Went on.`)
  const { id: approval } = await untilAsked(id)
  await place.query(`update approvals set expires_at = now() where id = '${approval}'`)
  await place.untilFinished(id)
  expect(await untilApproval(approval, (one) => one.state !== 'open')).toMatchObject({
    state: 'expired',
    answeredBy: null,
  })
  expect(await isThere(made('expired'))).toBe(false)
})

test('a machine whose relay is away denies by its own clock', async () => {
  const quick = { key: 'quick', machineId: place.machineId, runtime: 'claude' as const }
  await place.api.agents.create.mutate({ ...quick, approvals: { mode: 'ask' } })
  // Shorter than anybody may set it, so that the test need not wait.
  await place.query(`update agents set approvals = '{"mode": "ask", "expiresMs": 1000}' where key = 'quick'`)
  await place.api.agents.update.mutate({ id: 'quick', name: 'Quick' })
  const id = await start(`@ask echo x > ${made('alone')}\n@say Went on.`, { agent: 'quick' })
  await eventually(async () => {
    const { items } = await place.api.approvals.list.query({ runId: id })
    if (items.length === 0) throw new Error('nothing was asked')
  })
  await place.relay.kill()
  const outbox = inHome(join('state/default/runs', id, 'events.log'))
  await eventually(async () => expect(await readFile(outbox, 'latin1')).toContain('Went on.'), {
    timeoutMs: 15_000,
  })
  await place.relay.start()
  await place.untilFinished(id, 40_000)
  const [approval] = (await place.api.approvals.list.query({ runId: id })).items
  expect(approval?.state).toBe('expired')
  expect(await isThere(made('alone'))).toBe(false)
}, 60_000)

test('an agent that waits for a person is not silent', async () => {
  const id = await start(`@ask echo x > ${made('patient')}`, { limits: { silenceMs: 1_000 } })
  const { id: approval, askedAt } = await untilAsked(id)
  await eventually(() => expect(Date.now() - askedAt).toBeGreaterThan(2_500), { timeoutMs: 5_000 })
  await allow(approval)
  expect(await place.untilFinished(id)).toMatchObject({ state: 'succeeded' })
})

test('the command line and the SDK answer, and what they did stands on the record', async () => {
  const { secret } = await place.api.tokens.create.mutate({ name: 'approvals' })
  const cli = async (...args: string[]) => {
    const options = {
      env: { ...process.env, BATON_HOME: inHome(), BATON_TOKEN: secret, BATON_URL: place.relay.url },
    }
    const { stdout } = await promisify(execFile)(process.execPath, [entryFile, ...args, '--json'], options)
    return JSON.parse(stdout)
  }
  await using baton = new Baton({ url: place.relay.url, token: secret })
  const id = await start('@ask true\n@ask false\n@listen')
  const first = await untilAsked(id)
  expect((await cli('approval', 'list', '--run', id)).items).toMatchObject([{ id: first.id, state: 'open' }])
  expect(await cli('approval', 'allow', first.id.slice(0, 24))).toMatchObject({ answeredVia: 'cli' })
  const second = await untilAsked(id, 2)
  expect(await baton.approvals.deny(second.id)).toMatchObject({ state: 'denied', answeredVia: 'sdk' })
  const run = baton.runs.open(id)
  await expect(baton.approvals.allow(second.id)).rejects.toThrow(/denied already/)
  const asked: ApprovalView[] = []
  for await (const one of run.approvals()) asked.push(one)
  expect(asked.map(({ state }) => state)).toEqual(['denied', 'allowed'])
  await cli('runs', 'steer', id, '@hang')
  await eventually(async () =>
    expect((await run.controls()).at(-1)).toMatchObject({ state: 'consumed', via: 'cli' }),
  )
  await run.interrupt()
  expect(await place.untilFinished(id)).toMatchObject({ state: 'cancelled' })
  const refused = (await place.events(id)).filter(({ type, ok }) => type === 'tool_finished' && ok === false)
  expect(refused[0]?.output).toMatch(/This use of Bash was refused: .* said no\./)
})

test('a question is answered with a text, and never by a mere yes', async () => {
  const id = await start('@question Which colour?')
  const approval = await untilAsked(id)
  expect(approval).toMatchObject({
    tool: 'AskUserQuestion',
    summary: 'Which colour?\n- Red\n- Blue',
    pattern: null,
  })
  await expect(allow(approval.id)).rejects.toThrow(/give the answer as its message/)
  await allow(approval.id, { message: 'Blue' })
  await place.untilFinished(id)
  const said = (await place.events(id)).filter(({ type }) => type === 'message').map(({ text }) => text)
  expect(said).toEqual(['{"Which colour?":"Blue"}'])
})

test('a message into a running run is queued, then consumed; sent twice it is one', async () => {
  const id = await start('@say Listening.\n@listen')
  await eventually(async () => expect(await typesOf(id)).toContain('message'))
  const steer = { id, text: '@say Heard you.', idempotencyKey: 'once' }
  const told = await place.api.runs.steer.mutate(steer)
  expect(await place.api.runs.steer.mutate(steer)).toEqual(told)
  expect(await place.untilFinished(id)).toMatchObject({ state: 'succeeded' })
  const events = await place.events(id)
  expect(events.filter(({ type }) => type === 'steer').map(({ state }) => state)).toEqual([
    'queued',
    'consumed',
  ])
  expect(events.filter(({ type }) => type === 'message').map(({ text }) => text)).toEqual([
    'Listening.',
    'Heard you.',
  ])
  expect(await place.api.runs.controls.query({ id })).toMatchObject([
    { id: told.id, kind: 'steer', state: 'consumed' },
  ])
  await expect(place.api.runs.steer.mutate({ id, text: 'too late' })).rejects.toThrow(
    /Only a run that an agent works on/,
  )
})

test('an interrupt ends what the agent does, withdraws what it asked, and lets a message through', async () => {
  const hanging = await start('@hang')
  await place.untilRunning(hanging)
  await eventually(async () => expect(await typesOf(hanging)).toContain('session'))
  await place.api.runs.interrupt.mutate({ id: hanging })
  expect(await place.untilFinished(hanging)).toMatchObject({
    state: 'cancelled',
    message: expect.stringMatching(/interrupted/),
  })

  const asking = await start(`@ask echo x > ${made('interrupted')}`)
  const { id: approval } = await untilAsked(asking)
  await place.api.runs.steer.mutate({ id: asking, text: '@say Something else then.' })
  await place.api.runs.interrupt.mutate({ id: asking })
  expect(await place.untilFinished(asking)).toMatchObject({ state: 'succeeded' })
  expect((await untilApproval(approval, (one) => one.state !== 'open')).state).toBe('withdrawn')
  expect(await isThere(made('interrupted'))).toBe(false)
})

test('a machine whose owner lets nobody approve denies at once, whatever an allow-list says', async () => {
  const file = inHome('config/profiles/default.policy.json')
  const policy = await readFile(file, 'utf8')
  await place.api.agents.create.mutate({
    key: 'listed',
    machineId: place.machineId,
    runtime: 'claude',
    approvals: { mode: 'ask', allow: ['Bash'] },
  })
  await writeFile(file, JSON.stringify({ ...JSON.parse(policy), approvals: false }))
  try {
    const id = await start(`@ask echo x > ${made('owner')}`, { agent: 'listed' })
    await place.untilFinished(id)
    expect(await isThere(made('owner'))).toBe(false)
    expect((await place.api.approvals.list.query({ runId: id })).items).toEqual([])
  } finally {
    await writeFile(file, policy)
  }
})

test('a run that is cancelled while it asks leaves nothing open', async () => {
  const id = await start('@ask true')
  const { id: approval } = await untilAsked(id)
  await place.api.runs.cancel.mutate({ id })
  await place.untilFinished(id)
  expect((await untilApproval(approval, (one) => one.state !== 'open')).state).toBe('withdrawn')
})

test('a runtime that cannot be steered says so at once, and nothing is stored', async () => {
  const id = await place.run('@demo hang')
  await place.untilRunning(id)
  await expect(place.api.runs.steer.mutate({ id, text: 'hello' })).rejects.toThrow(
    /runs with command, which takes no message/,
  )
  await expect(place.api.runs.interrupt.mutate({ id })).rejects.toThrow(/Cancel the run instead/)
  expect(await place.api.runs.controls.query({ id })).toEqual([])
  await place.api.runs.cancel.mutate({ id })
  await place.untilFinished(id)
})

test('what belongs to another organization is like what does not exist, and a viewer only looks', async () => {
  const id = await start('@ask true')
  const { id: approval } = await untilAsked(id)
  const unknown = approval.replace(/.{8}$/, '00000000')
  const say = (error: Error) => error.message.replaceAll(/apr_\w+/g, 'X')
  const missing = await place.api.approvals.get.query({ id: unknown }).catch(say)
  await place.query(`update members set role = 'viewer'`)
  try {
    await expect(allow(approval)).rejects.toThrow(/Viewers can look/)
    await expect(place.api.runs.steer.mutate({ id, text: 'x' })).rejects.toThrow(/Viewers can look/)
    expect((await place.api.approvals.get.query({ id: approval })).state).toBe('open')
  } finally {
    await place.query(`update members set role = 'owner'`)
  }
  const other = `org_${'0'.repeat(32)}`
  await place.query(`insert into organizations (id, slug, name) values ('${other}', 'other', 'Other')`)
  const [row] = await place.query<{ organization_id: string }>(
    `select organization_id from approvals where id = '${approval}'`,
  )
  await place.query(`update approvals set organization_id = '${other}' where id = '${approval}'`)
  expect(await place.api.approvals.get.query({ id: approval }).catch(say)).toBe(missing)
  expect(await allow(approval).catch(say)).toBe(missing)
  await place.query(
    `update approvals set organization_id = '${row?.organization_id}' where id = '${approval}'`,
  )
  const cancelled: RunView = await place.api.runs.cancel.mutate({ id })
  expect(cancelled.id).toBe(id)
  await place.untilFinished(id)
})
