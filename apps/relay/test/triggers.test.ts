import { createHash } from 'node:crypto'
import http from 'node:http'
import { connect, sql } from '@baton/db'
import type { EventDetail, NewTriggerInput } from '@baton/protocol'
import type { AppRouter } from '@baton/relay'
import {
  connectWireRunner,
  eventually,
  startTestRelay,
  type TestRelay,
  type WireRunner,
} from '@baton/testkit'
import { encryptLarkBody, signRequest } from '@baton/webhooks'
import { createTRPCClient, httpLink } from '@trpc/client'
import { afterAll, beforeAll, expect, test } from 'vitest'

let relay: TestRelay
let api: ReturnType<typeof createTRPCClient<AppRouter>>
let foreign: ReturnType<typeof createTRPCClient<AppRouter>>
let runner: WireRunner
const database = { query: async <T>(_: string): Promise<T[]> => [], close: async () => {} }

const client = (token: string) =>
  createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${relay.url}/trpc`, headers: { authorization: `Bearer ${token}` } })],
  })

beforeAll(async () => {
  relay = await startTestRelay()
  const made = await relay.setup<{ token: string; machineKey: string }>({
    machineName: 'laptop',
    wantToken: true,
    wantMachineKey: true,
    agents: [
      { key: 'demo', runtime: 'command', command: 'demo' },
      { key: 'claude', runtime: 'claude' },
    ],
  })
  const other = await relay.setup<{ token: string }>({
    organization: 'other',
    userName: 'Eve',
    wantToken: true,
  })
  api = client(made.token)
  foreign = client(other.token)
  runner = await connectWireRunner(relay.url, made.machineKey)
  const connection = connect(relay.databaseUrl, { max: 1 })
  database.query = async <T>(text: string) => (await sql.raw<T>(text).execute(connection.db)).rows
  database.close = () => connection.close()
}, 60_000)
afterAll(async () => {
  await runner?.close()
  await database.close()
  await relay?.[Symbol.asyncDispose]()
})

let count = 0
async function makeJob(triggers: NewTriggerInput[], more: { prompt?: string; agent?: string } = {}) {
  const key = `job-${++count}`
  const made = await api.jobs.create.mutate({ key, agent: 'demo', prompt: 'go', triggers, ...more })
  const hook = made.secrets[0] ?? { url: '', secret: '', path: '', triggerId: '', scheme: 'none' as const }
  return { ...made.job, key, hook }
}
async function post(url: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
const sign = (
  hook: { scheme: string; secret: string },
  body: string,
  more: { id?: string | null; at?: number } = {},
) =>
  signRequest({
    scheme: hook.scheme as 'standard',
    secret: hook.secret,
    id: more.id === undefined ? `id-${++count}` : more.id,
    timestampMs: more.at ?? Date.now(),
    body,
  })
const eventOf = async (answer: { body: Record<string, unknown> }): Promise<EventDetail> =>
  api.events.get.query({ id: String(answer.body.eventId) })

test.each(['github', 'standard', 'slack', 'stripe', 'baton', 'bearer'] as const)(
  'a webhook of the scheme %s fires with its signature, is proven in the inbox, and without it is refused',
  async (scheme) => {
    const { hook, key } = await makeJob([{ kind: 'webhook', scheme }])
    const body = JSON.stringify({ id: `evt_${++count}`, event_id: `Ev${count}`, zen: 'x' })
    const refused = await post(hook.url, body)
    expect(refused.status).toBe(401)
    const answer = await post(hook.url, body, sign(hook, body))
    expect(answer.status).toBe(202)
    expect(await eventOf(answer)).toMatchObject({ state: 'matched', verification: { scheme } })
    const refusals = await api.events.refused.query({ jobId: key })
    expect(refusals[0]).toMatchObject({ count: 1, requests: [{ status: 401, type: 'signature-refused' }] })
  },
)

test('an event of Lark is decrypted, its later tries are one event, and its address check is answered', async () => {
  const { hook } = await makeJob([{ kind: 'webhook', scheme: 'lark' }], {
    prompt: '{{ payload.event.text }}',
  })
  const event = JSON.stringify({ schema: '2.0', header: { event_id: 'ev_1' }, event: { text: 'hello' } })
  const tries = await Promise.all(
    [1, 2].map(async () => {
      const body = encryptLarkBody(hook.secret, event)
      return post(hook.url, body, sign(hook, body))
    }),
  )
  expect(tries[0]).toEqual(tries[1])
  const run = await api.runs.get.query({ id: String(((tries[0]?.body.deliveries ?? []) as string[])[0]) })
  expect(run.prompt).toBe('hello')
  const check = encryptLarkBody(hook.secret, '{"type":"url_verification","challenge":"c1"}')
  expect(await post(hook.url, check)).toEqual({ status: 200, body: { challenge: 'c1' } })
  expect((await post(hook.url, '{"type":"url_verification","challenge":"c1"}')).status).toBe(401)
})

test("Slack's address check is answered only when it is signed, and starts nothing", async () => {
  const { hook, key } = await makeJob([{ kind: 'webhook', scheme: 'slack' }])
  const body = '{"type":"url_verification","challenge":"3eZbrw1aB10FEMAGAZd4FyFQ"}'
  expect((await post(hook.url, body)).status).toBe(401)
  const answer = await post(hook.url, body, sign(hook, body))
  expect(answer).toEqual({ status: 200, body: { challenge: '3eZbrw1aB10FEMAGAZd4FyFQ' } })
  const { items } = await api.events.list.query({ jobId: key })
  expect(items).toMatchObject([{ state: 'ignored', reason: 'filtered', deliveries: [] }])
})

test('a command of Slack, which is a form, fills the prompt', async () => {
  const { hook } = await makeJob([{ kind: 'webhook', scheme: 'slack' }], { prompt: '{{ payload.text }}' })
  const body = 'command=%2Ffix&text=the+tests'
  const answer = await post(hook.url, body, {
    ...sign(hook, body),
    'content-type': 'application/x-www-form-urlencoded',
  })
  const run = await api.runs.get.query({ id: String((answer.body.deliveries as string[])[0]) })
  expect(run.prompt).toBe('the tests')
})

test('a later try of Stripe with another body under the same event id is a repeat and no conflict', async () => {
  const { hook } = await makeJob([{ kind: 'webhook', scheme: 'stripe' }])
  const answers = []
  for (const pending of [2, 1]) {
    const body = JSON.stringify({ id: 'evt_same', object: 'event', pending_webhooks: pending })
    answers.push(await post(hook.url, body, sign(hook, body)))
  }
  expect(answers.map(({ status }) => status)).toEqual([202, 202])
  expect(answers[0]?.body.eventId).toBe(answers[1]?.body.eventId)
})

test('a captured body of GitHub under 100 fresh ids is one event (T-05)', async () => {
  const { hook, key } = await makeJob([{ kind: 'webhook', scheme: 'github' }])
  const body = '{"anything":true}'
  const { 'x-hub-signature-256': signature = '' } = sign(hook, body)
  for (let n = 0; n < 100; n++)
    await post(hook.url, body, { 'x-hub-signature-256': signature, 'x-github-delivery': `fresh-${n}` })
  expect((await api.events.list.query({ jobId: key })).items).toHaveLength(1)
})

test('a webhook without a signature is made only for a fixed command that says so, at an address nobody can guess', async () => {
  const none = { kind: 'webhook' as const, scheme: 'none' as const }
  await expect(makeJob([none])).rejects.toThrow('acceptUnsigned')
  await expect(makeJob([{ ...none, acceptUnsigned: true }], { agent: 'claude' })).rejects.toThrow(
    'fixed command',
  )
  await expect(makeJob([{ ...none, acceptUnsigned: true, path: 'short' }])).rejects.toThrow(
    'nobody can guess',
  )
  const job = await makeJob([{ ...none, acceptUnsigned: true }])
  expect(job.hook.path.length).toBeGreaterThanOrEqual(43)
  expect((await post(job.hook.url, '{"a":1}')).status).toBe(202)
  await api.jobs.update.mutate({ id: job.id, agent: 'claude' })
  expect(await post(job.hook.url, '{"a":2}')).toMatchObject({
    status: 401,
    body: { type: expect.stringContaining('unsigned') },
  })
})

test('filters decide, the inbox says which one did not hold, and a change of them counts at once', async () => {
  const job = await makeJob([
    {
      kind: 'webhook',
      scheme: 'standard',
      filters: [
        { field: 'event.headers.x-kind', op: 'in', value: ['pull', 'push'] },
        { field: 'payload.size', op: 'gt', value: 3 },
      ],
    },
  ])
  const send = (size: number, kind: string) => {
    const body = JSON.stringify({ size })
    return post(job.hook.url, body, { ...sign(job.hook, body), 'x-kind': kind })
  }
  expect((await eventOf(await send(4, 'pull'))).state).toBe('matched')
  expect(await eventOf(await send(3, 'pull'))).toMatchObject({
    state: 'ignored',
    reason: 'filtered',
    reasonMessage: 'The filter "payload.size gt 3" does not hold: payload.size is 3.',
  })
  const other = await send(9, 'issue')
  const why = await api.why.explain.query({ id: String(other.body.eventId) })
  expect(why.sentence).toContain('x-kind')
  expect((await eventOf(other)).reasonMessage).toContain('x-kind')
  await api.jobs.updateTrigger.mutate({
    triggerId: job.hook.triggerId,
    change: { kind: 'webhook', filters: [] },
  })
  expect((await eventOf(await send(1, 'issue'))).state).toBe('matched')
  const view = await api.jobs.simulate.query({ id: job.id })
  expect(view).toMatchObject({ fires: 4 })
  expect(view.events.map((one) => [one.fires, one.fired])).toEqual([
    [true, true],
    [true, false],
    [true, false],
    [true, true],
  ])
})

test('a trigger can be added, paused, resumed and removed', async () => {
  const job = await makeJob([])
  const { secret } = await api.jobs.addTrigger.mutate({
    id: job.id,
    trigger: { kind: 'webhook', scheme: 'baton', path: 'my-path' },
  })
  if (!secret) throw new Error('no secret')
  await expect(makeJob([{ kind: 'webhook', scheme: 'baton', path: 'my-path' }])).rejects.toThrow('already')
  const send = () => post(secret.url, '{}', sign(secret, '{}'))
  await api.jobs.pauseTrigger.mutate({ triggerId: secret.triggerId })
  expect(await eventOf(await send())).toMatchObject({ state: 'ignored', reason: 'trigger_paused' })
  const paused = await api.why.explain.query({ id: job.id })
  expect(paused.conditions.map(({ code }) => code)).toContain('trigger_paused')
  await api.jobs.resumeTrigger.mutate({ triggerId: secret.triggerId })
  expect((await eventOf(await send())).state).toBe('matched')
  const left = await api.jobs.removeTrigger.mutate({ triggerId: secret.triggerId })
  expect(left.triggers).toEqual([])
  expect((await send()).status).toBe(404)
})

test('two secrets are valid during a rotation, and one alone when it became known to somebody', async () => {
  const { hook } = await makeJob([{ kind: 'webhook', scheme: 'standard' }])
  const { secret } = await api.jobs.rotateSecret.mutate({ triggerId: hook.triggerId })
  const works = async (one: string) =>
    (await post(hook.url, '{}', sign({ ...hook, secret: one }, '{}'))).status
  expect([await works(hook.secret), await works(secret)]).toEqual([202, 202])
  const alone = await api.jobs.rotateSecret.mutate({ triggerId: hook.triggerId, alone: true })
  expect([await works(secret), await works(alone.secret)]).toEqual([401, 202])
})

test('a wrong schedule is refused when it is saved, with what to write instead', async () => {
  for (const [expression, words] of [
    ['0 0 30 2 *', 'never comes'],
    ['* * * *', 'needs five'],
    ['0 0 * * * *', 'seconds'],
    ['@reboot', 'no time that comes again'],
  ] as const)
    await expect(makeJob([{ kind: 'cron', expression }])).rejects.toThrow(words)
  await expect(makeJob([{ kind: 'cron', expression: '@daily', zone: 'Mars/Olympus' }])).rejects.toThrow(
    'time zone',
  )
  const answer = await api.jobs.nextFires.query({
    schedule: { expression: '0 9 * * 1', zone: 'Asia/Tokyo' },
    count: 2,
    zone: 'UTC',
  })
  expect(answer.words).toBe('At 09:00, only on Monday (Asia/Tokyo)')
  expect(answer.fires.map(({ local }) => local.slice(-12))).toEqual(['00:00 +00:00', '00:00 +00:00'])
})

test('each slot of a schedule is one event over two relays, and what was missed is told and made up for once', async () => {
  await using second = await startTestRelay({ databaseUrl: relay.databaseUrl })
  expect(second.url).not.toBe(relay.url)
  const job = await makeJob([{ kind: 'cron', expression: '* * * * *', misfire: { policy: 'all', max: 2 } }], {
    prompt: 'It is {{ fire.at }}',
  })
  const [trigger] = job.triggers
  await eventually(async () => {
    const { triggers } = await api.jobs.get.query({ id: job.id })
    expect(triggers[0]).toMatchObject({ kind: 'cron', nextFireAt: expect.any(Number) })
  })
  await database.query(`update triggers set next_fire_at = date_trunc('minute', now()) - interval '6 minutes'
    where id = '${trigger?.id}'`)
  await eventually(async () => {
    const { items } = await api.events.list.query({ jobId: job.id })
    expect(items.filter((one) => one.state === 'matched').length).toBeGreaterThanOrEqual(3)
  })
  const { items } = await api.events.list.query({ jobId: job.id })
  expect(new Set(items.map((one) => one.deliveryKey)).size).toBe(items.length)
  const missed = items.filter((one) => one.reason === 'missed')
  expect(missed).toHaveLength(1)
  expect(missed[0]?.reasonMessage).toMatch(/^[34] slots up to .* the policy for missed slots is "all"\.$/)
  const late = items.filter((one) => one.deliveries[0]?.state === 'parked')
  expect(late.length).toBe(2)
  const run = await api.runs.get.query({
    id: items.find((one) => one.state === 'matched')?.deliveries[0]?.runId ?? '',
  })
  expect(run.prompt).toMatch(/^It is \d{4}-.*:00\.000Z$/)
})

test('a schedule that was off makes up nothing for that time', async () => {
  const job = await makeJob([{ kind: 'interval', everyMs: 10_000, misfire: { policy: 'all', max: 100 } }])
  await eventually(async () => {
    const { triggers } = await api.jobs.get.query({ id: job.id })
    expect(triggers[0]).toMatchObject({ nextFireAt: expect.any(Number) })
  })
  await api.jobs.disable.mutate({ id: job.id })
  const off = await api.jobs.get.query({ id: job.id })
  expect(off.triggers[0]).toMatchObject({ nextFireAt: null })
  await api.jobs.enable.mutate({ id: job.id })
  await eventually(async () => {
    const { triggers } = await api.jobs.get.query({ id: job.id })
    const next = triggers[0]?.kind === 'interval' ? triggers[0].nextFireAt : null
    expect(next).toBeGreaterThan(Date.now() - 1_000)
  })
  expect((await api.events.list.query({ jobId: job.id })).items).toEqual([])
})

test('a runner is told what to watch, its changes are events once, and another machine cannot report them', async () => {
  const job = await makeJob([{ kind: 'file_change', folder: '~/docs', globs: ['**/*.md'] }], {
    prompt: 'Changed: {{ changes.paths }}',
  })
  const trigger = job.triggers[0]
  if (trigger?.kind !== 'file_change') throw new Error('no watch')
  const pushed: unknown[] = []
  const session = runner.subscribe({ slots: 0, onPush: (push) => pushed.push(push.watches) })
  await eventually(() =>
    expect(pushed).toContainEqual({
      version: expect.any(String),
      watches: expect.arrayContaining([expect.objectContaining({ triggerId: trigger.id, folder: '~/docs' })]),
    }),
  )
  const fire = {
    kind: 'file_change' as const,
    triggerId: trigger.id,
    key: 'a-key-of-its-own',
    payload: { changes: { folder: '/home/ada/docs', paths: ['a.md'], count: 1, overflow: false } },
  }
  const watches = [{ triggerId: trigger.id, state: 'watching' as const, message: null }]
  const [one] = await runner.api.runner.fire.mutate({ fires: [fire], watches })
  const [again] = await runner.api.runner.fire.mutate({ fires: [fire] })
  expect(one).toMatchObject({ result: 'stored' })
  expect(again).toEqual(one)
  const event = await api.events.get.query({ id: one?.eventId ?? '' })
  expect(event).toMatchObject({ source: 'file_change', state: 'matched', trigger: { kind: 'file_change' } })
  const run = await api.runs.get.query({ id: event.runs[0]?.id ?? '' })
  expect(run.prompt).toBe('Changed: ["a.md"]')
  const { triggers } = await api.jobs.get.query({ id: job.id })
  expect(triggers[0]).toMatchObject({ watch: { state: 'watching' } })
  const stranger = await foreign.machines.create.mutate({ name: 'eve' })
  await using eve = await connectWireRunner(relay.url, stranger.key)
  const [refused] = await eve.api.runner.fire.mutate({ fires: [{ ...fire, key: 'another-key' }] })
  expect(refused).toMatchObject({ result: 'gone', eventId: null })
  session.unsubscribe()
})

test('a push fires by its branch, and a chain of runs that cause each other ends after eight', async () => {
  const job = await makeJob([{ kind: 'git_push', branches: ['main', 'release/*'] }], {
    prompt: '{{ push.branch }}: {{ push.commits.0.subject }}',
  })
  const triggerId = job.triggers[0]?.id ?? 'trg_'
  const id = createHash('sha1').update(String(++count)).digest('hex')
  const push = (branch: string, cause: string | null = null) =>
    api.jobs.push.mutate({
      kind: 'git_push',
      triggerId,
      key: `push-key-${++count}`,
      cause,
      payload: {
        push: {
          hook: 'pre-push',
          branch,
          ref: `refs/heads/${branch}`,
          before: '0'.repeat(40),
          after: id,
          commits: [{ id, subject: 'Mend it', author: 'Ada' }],
          repository: 'app',
          remote: null,
        },
      },
    })
  const get = async (answer: { eventId: string | null }) => api.events.get.query({ id: answer.eventId ?? '' })
  expect(await get(await push('topic'))).toMatchObject({ state: 'ignored', reason: 'filtered' })
  let event = await get(await push('release/1'))
  expect(event.cause).toBeNull()
  const run = await api.runs.get.query({ id: event.runs[0]?.id ?? '' })
  expect(run.prompt).toBe('release/1: Mend it')
  for (let hops = 1; hops <= 8; hops++) {
    await pretendAccepted(event.runs[0]?.id ?? '')
    event = await get(await push('main', event.runs[0]?.id ?? ''))
    expect(event, String(hops)).toMatchObject({ state: 'matched', cause: { hops } })
  }
  await pretendAccepted(event.runs[0]?.id ?? '')
  expect(await get(await push('main', event.runs[0]?.id ?? ''))).toMatchObject({
    state: 'ignored',
    reason: 'loop',
  })
})

/** A run has a row once its machine has accepted it. */
async function pretendAccepted(runId: string) {
  await database.query(`insert into runs (id, organization_id, delivery_id, machine_id, agent_id, job_id, attempt, fence, last_hash, leased_at)
    select run_id, organization_id, id, machine_id, agent_id, job_id, 1, 1, '', now() from deliveries where run_id = '${runId}'`)
}

test('runs that cause events too fast blow the fuse, visibly', async () => {
  const job = await makeJob([{ kind: 'webhook', scheme: 'standard' }])
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, n) => {
      const body = JSON.stringify({ n })
      return post(job.hook.url, body, {
        ...sign(job.hook, body),
        'x-baton-cause': `run_${'0'.repeat(31)}1; hops=1`,
      })
    }),
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
  const body = '{"n":"last"}'
  const last = await post(job.hook.url, body, {
    ...sign(job.hook, body),
    'x-baton-cause': `run_${'0'.repeat(31)}1; hops=1`,
  })
  const event = await eventOf(last)
  expect(event).toMatchObject({ state: 'ignored', reason: 'loop' })
  expect(event.reasonMessage).toContain('looks like a loop')
})

test('a rehearsal shows prompt, filters and reason, and stores nothing', async () => {
  const job = await makeJob(
    [{ kind: 'webhook', scheme: 'standard', filters: [{ field: 'payload.a', op: 'eq', value: 1 }] }],
    { prompt: 'A is {{ payload.a }} {{ payload.b | default: "none" }}' },
  )
  const before = await api.events.list.query({ limit: 1 })
  const good = await api.jobs.rehearse.query({ id: job.id, payload: { a: 1 } })
  expect(good).toMatchObject({ fires: true, prompt: 'A is 1 none', filters: [{ holds: true, found: '1' }] })
  const written = { id: job.id, payload: { a: 1 }, prompt: 'Now {{ payload.a }}' }
  expect(await api.jobs.rehearse.query(written)).toMatchObject({ fires: true, prompt: 'Now 1' })
  const bad = await api.jobs.rehearse.query({ id: job.id, payload: { a: 2 } })
  expect(bad).toMatchObject({ fires: false, reason: 'filtered' })
  const body = '{"a":1,"b":"x"}'
  const event = await eventOf(await post(job.hook.url, body, sign(job.hook, body)))
  const stored = await api.jobs.rehearse.query({ id: job.id, eventId: event.id })
  expect(stored).toMatchObject({ fires: true, prompt: 'A is 1 x', trigger: { id: job.hook.triggerId } })
  await api.jobs.disable.mutate({ id: job.id })
  expect(await api.jobs.rehearse.query({ id: job.id, eventId: event.id })).toMatchObject({
    reason: 'job_disabled',
  })
  const after = await api.events.list.query({ limit: 2 })
  expect(after.items.map((one) => one.id)).toEqual([event.id, before.items[0]?.id])
})

test('a job that is not saved yet is rehearsed with a payload or an event, and what is missing is named', async () => {
  const before = await api.jobs.list.query()
  const draft = {
    prompt: '{{ payload.a }} {{ payload.b }} {{ payload.b }} {{ payload.c | default: "" }}',
    trigger: {
      kind: 'webhook' as const,
      scheme: 'standard' as const,
      filters: [{ field: 'payload.a', op: 'eq' as const, value: 1 }],
    },
    rules: { concurrency: { key: '{{ payload.repository }}', limit: 1 } },
  }
  const fires = await api.jobs.rehearseDraft.query({ ...draft, agent: 'demo', payload: { a: 1 } })
  expect(fires).toMatchObject({ fires: true, prompt: '1   ', missing: ['payload.b', 'payload.repository'] })
  expect(fires.next).toContain('"demo" on laptop')
  expect(await api.jobs.rehearseDraft.query({ ...draft, payload: { a: 2, b: 'x' } })).toMatchObject({
    fires: false,
    reason: 'filtered',
    prompt: '2 x x ',
  })
  expect(await api.jobs.rehearseDraft.query({ prompt: 'Only {{ job.key }}', key: 'mine' })).toMatchObject({
    fires: true,
    prompt: 'Only mine',
    missing: [],
  })
  const job = await makeJob([{ kind: 'webhook', scheme: 'standard' }])
  const body = '{"a":1}'
  const { id: eventId } = await eventOf(await post(job.hook.url, body, sign(job.hook, body)))
  expect(await api.jobs.rehearseDraft.query({ ...draft, eventId })).toMatchObject({ fires: true })
  expect(await api.jobs.rehearse.query({ id: job.id, eventId, prompt: '{{ payload.z }}' })).toMatchObject({
    missing: ['payload.z'],
  })
  await expect(api.jobs.rehearseDraft.query({ prompt: '{{ nothing }}' })).rejects.toThrow('no such value')
  const daily = { kind: 'cron' as const, expression: 'never', zone: 'UTC' }
  await expect(api.jobs.rehearseDraft.query({ prompt: 'go', trigger: daily })).rejects.toThrow('never')
  expect(await api.jobs.list.query()).toHaveLength(before.length + 1)
})

test('the inbox can be searched and filtered', async () => {
  const job = await makeJob([{ kind: 'webhook', scheme: 'standard' }])
  for (const body of ['{"needle-4711":1}', '{"hay":1}'])
    await post(job.hook.url, body, sign(job.hook, body, { id: `sender-${body.length}` }))
  await api.jobs.run.mutate({ id: job.id, payload: { by: 'hand' } })
  const find = (input: Parameters<typeof api.events.list.query>[0]) =>
    api.events.list.query({ jobId: job.key, ...input })
  expect((await find({ text: 'needle-4711' })).items).toHaveLength(1)
  expect((await find({ text: 'sender-9' })).items).toHaveLength(1)
  expect((await find({ text: 'no such thing' })).items).toEqual([])
  expect((await find({ source: ['manual'] })).items).toHaveLength(1)
  expect((await find({ state: 'ignored' })).items).toEqual([])
  expect((await find({ triggerId: job.hook.triggerId })).items).toHaveLength(2)
  expect((await find({ since: Date.now() + 60_000 })).items).toEqual([])
  expect((await find({ until: Date.now() - 60_000 })).items).toEqual([])
})

test('a sample is a real signed request, a changed replay names its cause, and an export can be sent again', async () => {
  const job = await makeJob([{ kind: 'webhook', scheme: 'github' }], { prompt: '{{ payload.ref }}' })
  const sample = await api.events.sendSample.mutate({ jobId: job.id })
  expect(sample).toMatchObject({ status: 202 })
  const event = await api.events.get.query({ id: sample.eventId ?? '' })
  expect(event).toMatchObject({ verification: { scheme: 'github' }, headers: { 'x-github-event': 'push' } })
  const replayed = await api.events.replay.mutate({ id: event.id, body: '{"ref":"refs/heads/other"}' })
  const again = await api.events.get.query({ id: replayed.eventId })
  expect(again).toMatchObject({ cause: { id: event.id, hops: 0 }, body: '{"ref":"refs/heads/other"}' })
  const run = await api.runs.get.query({ id: replayed.deliveries[0]?.runId ?? '' })
  expect(run.prompt).toBe('refs/heads/other')
  const fixture = await api.events.exportAs.query({ id: event.id, format: 'fixture' })
  expect(JSON.parse(fixture.text)).toMatchObject({ scheme: 'github', body: event.body })
  const curl = await api.events.exportAs.query({ id: event.id, format: 'curl' })
  expect(curl.text).not.toContain(job.hook.secret)
  const { execFileSync } = await import('node:child_process')
  const printed = execFileSync('sh', ['-c', curl.text], {
    env: { PATH: process.env.PATH, SECRET: job.hook.secret },
    encoding: 'utf8',
  })
  expect(JSON.parse(printed)).toMatchObject({ eventId: event.id })
})

test("nothing of another organization's triggers and events can be reached", async () => {
  const job = await makeJob([
    { kind: 'webhook', scheme: 'standard' },
    { kind: 'cron', expression: '@daily' },
  ])
  const body = '{}'
  const { id: eventId } = await eventOf(await post(job.hook.url, body, sign(job.hook, body)))
  const { triggerId } = job.hook
  const calls: [string, (id: { job: string; trigger: string; event: string }) => Promise<unknown>][] = [
    ['addTrigger', ({ job: id }) => foreign.jobs.addTrigger.mutate({ id, trigger: { kind: 'git_push' } })],
    [
      'updateTrigger',
      ({ trigger }) => foreign.jobs.updateTrigger.mutate({ triggerId: trigger, change: { kind: 'webhook' } }),
    ],
    ['removeTrigger', ({ trigger }) => foreign.jobs.removeTrigger.mutate({ triggerId: trigger })],
    ['pauseTrigger', ({ trigger }) => foreign.jobs.pauseTrigger.mutate({ triggerId: trigger })],
    ['resumeTrigger', ({ trigger }) => foreign.jobs.resumeTrigger.mutate({ triggerId: trigger })],
    ['rotateSecret', ({ trigger }) => foreign.jobs.rotateSecret.mutate({ triggerId: trigger })],
    ['nextFires', ({ trigger }) => foreign.jobs.nextFires.query({ schedule: { triggerId: trigger } })],
    ['rehearse', ({ job: id, event }) => foreign.jobs.rehearse.query({ id, eventId: event })],
    ['rehearseDraft', ({ event }) => foreign.jobs.rehearseDraft.query({ prompt: 'go', eventId: event })],
    ['simulate', ({ job: id }) => foreign.jobs.simulate.query({ id })],
    ['refused', ({ job: id }) => foreign.events.refused.query({ jobId: id })],
    ['sendSample', ({ job: id }) => foreign.events.sendSample.mutate({ jobId: id })],
    ['exportAs', ({ event }) => foreign.events.exportAs.query({ id: event, format: 'curl' })],
    ['replay', ({ event }) => foreign.events.replay.mutate({ id: event })],
    ['list', ({ trigger }) => foreign.events.list.query({ triggerId: trigger })],
  ]
  const random = {
    job: `job_${'a'.repeat(32)}`,
    trigger: `trg_${'a'.repeat(32)}`,
    event: `evt_${'a'.repeat(32)}`,
  }
  for (const [name, call] of calls) {
    const said = async (ids: typeof random) => {
      const error = await call(ids).then(
        () => null,
        (cause: unknown) => cause as { data: { httpStatus: number }; message: string },
      )
      return [error?.data.httpStatus, error?.message.replaceAll(/(job|trg|evt)_\w+/g, 'ID')]
    }
    const own = await said({ job: job.id, trigger: triggerId, event: eventId })
    expect(own, name).toEqual(await said(random))
    expect(own[0], name).toBe(404)
  }
})

test('too large a body is refused by counting, with or without a length, and nothing is stored (T-11)', async () => {
  const { hook, key } = await makeJob([{ kind: 'webhook', scheme: 'standard' }])
  for (const headers of [{ 'content-length': '3000000' }, { 'transfer-encoding': 'chunked' }]) {
    const answered = Promise.withResolvers<number>()
    const request = http.request(hook.url, { method: 'POST', headers }, (response) =>
      answered.resolve(response.statusCode ?? 0),
    )
    request.on('error', () => {})
    for (let sent = 0; sent < 1.5 * 1024 * 1024; sent += 65_536) request.write('x'.repeat(65_536))
    expect(await answered.promise).toBe(413)
    request.destroy()
  }
  expect((await api.events.list.query({ jobId: key })).items).toEqual([])
})

test('an address that is gone and one that never was are answered alike, byte for byte (T-17)', async () => {
  const { hook } = await makeJob([{ kind: 'webhook', scheme: 'standard' }])
  await api.jobs.removeTrigger.mutate({ triggerId: hook.triggerId })
  const answer = async (url: string) => {
    const response = await fetch(url, { method: 'POST', body: '{}', redirect: 'manual' })
    const { instance: _, ...problem } = (await response.json()) as Record<string, unknown>
    return [response.status, response.headers.get('content-type'), problem]
  }
  expect(await answer(hook.url)).toEqual(await answer(`${relay.url}/hooks/${'x'.repeat(hook.path.length)}`))
})
