import { createHash } from 'node:crypto'
import { connectWireRunner, eventually, startTestRelay } from '@baton/testkit'
import { expect, test } from 'vitest'
import { nextCount, post, sign, withTriggers } from './support/with-triggers.ts'

const { place, makeJob, eventOf, change } = withTriggers()

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
  const answer = await place.api.jobs.nextFires.query({
    schedule: { expression: '0 9 * * 1', zone: 'Asia/Tokyo' },
    count: 2,
    zone: 'UTC',
  })
  expect(answer.words).toBe('At 09:00, only on Monday (Asia/Tokyo)')
  expect(answer.fires.map(({ local }) => local.slice(-12))).toEqual(['00:00 +00:00', '00:00 +00:00'])
})

test('each slot of a schedule is one event over two relays, and what was missed is told and made up for once', async () => {
  await using second = await startTestRelay({ databaseUrl: place.relay.databaseUrl })
  expect(second.url).not.toBe(place.relay.url)
  const job = await makeJob([{ kind: 'cron', expression: '* * * * *', misfire: { policy: 'all', max: 2 } }], {
    prompt: 'It is {{ fire.at }}',
  })
  const [trigger] = job.triggers
  await eventually(async () => {
    const { triggers } = await place.api.jobs.get.query({ id: job.id })
    expect(triggers[0]).toMatchObject({ kind: 'cron', nextFireAt: expect.any(Number) })
  })
  await change(`update triggers set next_fire_at = date_trunc('minute', now()) - interval '6 minutes'
    where id = '${trigger?.id}'`)
  await eventually(async () => {
    const { items } = await place.api.events.list.query({ jobId: job.id })
    expect(items.filter((one) => one.state === 'matched').length).toBeGreaterThanOrEqual(3)
  })
  const { items } = await place.api.events.list.query({ jobId: job.id })
  expect(new Set(items.map((one) => one.deliveryKey)).size).toBe(items.length)
  const missed = items.filter((one) => one.reason === 'missed')
  expect(missed).toHaveLength(1)
  expect(missed[0]?.reasonMessage).toMatch(/^[3-5] slots up to .* the policy for missed slots is "all"\.$/)
  const late = items.filter((one) => one.deliveries[0]?.state === 'parked')
  expect(late.length).toBe(2)
  const run = await place.api.runs.get.query({
    id: items.find((one) => one.state === 'matched')?.deliveries[0]?.runId ?? '',
  })
  expect(run.prompt).toMatch(/^It is \d{4}-.*:00\.000Z$/)
})

test('a schedule that was off makes up nothing for that time', async () => {
  const job = await makeJob([{ kind: 'interval', everyMs: 10_000, misfire: { policy: 'all', max: 100 } }])
  await eventually(async () => {
    const { triggers } = await place.api.jobs.get.query({ id: job.id })
    expect(triggers[0]).toMatchObject({ nextFireAt: expect.any(Number) })
  })
  await place.api.jobs.disable.mutate({ id: job.id })
  const off = await place.api.jobs.get.query({ id: job.id })
  expect(off.triggers[0]).toMatchObject({ nextFireAt: null })
  await place.api.jobs.enable.mutate({ id: job.id })
  await eventually(async () => {
    const { triggers } = await place.api.jobs.get.query({ id: job.id })
    const next = triggers[0]?.kind === 'interval' ? triggers[0].nextFireAt : null
    expect(next).toBeGreaterThan(Date.now() - 1_000)
  })
  expect((await place.api.events.list.query({ jobId: job.id })).items).toEqual([])
})

test('a runner is told what to watch, its changes are events once, and another machine cannot report them', async () => {
  const job = await makeJob([{ kind: 'file_change', folder: '~/docs', globs: ['**/*.md'] }], {
    prompt: 'Changed: {{ changes.paths }}',
  })
  const trigger = job.triggers[0]
  if (trigger?.kind !== 'file_change') throw new Error('no watch')
  const pushed: unknown[] = []
  const session = place.runner.subscribe({ slots: 0, onPush: (push) => pushed.push(push.watches) })
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
  const [one] = await place.runner.api.runner.fire.mutate({ fires: [fire], watches })
  const [again] = await place.runner.api.runner.fire.mutate({ fires: [fire] })
  expect(one).toMatchObject({ result: 'stored' })
  expect(again).toEqual(one)
  const event = await place.api.events.get.query({ id: one?.eventId ?? '' })
  expect(event).toMatchObject({ source: 'file_change', state: 'matched', trigger: { kind: 'file_change' } })
  const run = await place.api.runs.get.query({ id: event.runs[0]?.id ?? '' })
  expect(run.prompt).toBe('Changed: ["a.md"]')
  const { triggers } = await place.api.jobs.get.query({ id: job.id })
  expect(triggers[0]).toMatchObject({ watch: { state: 'watching' } })
  const stranger = await place.foreign.machines.create.mutate({ name: 'eve' })
  await using eve = await connectWireRunner(place.relay.url, stranger.key)
  const [refused] = await eve.api.runner.fire.mutate({ fires: [{ ...fire, key: 'another-key' }] })
  expect(refused).toMatchObject({ result: 'gone', eventId: null })
  session.unsubscribe()
})

test('a push fires by its branch, and a chain of runs that cause each other ends after eight', async () => {
  const job = await makeJob([{ kind: 'git_push', branches: ['main', 'release/*'] }], {
    prompt: '{{ push.branch }}: {{ push.commits.0.subject }}',
  })
  const triggerId = job.triggers[0]?.id ?? 'trg_'
  const id = createHash('sha1').update(String(nextCount())).digest('hex')
  const push = (branch: string, cause: string | null = null) =>
    place.api.jobs.push.mutate({
      kind: 'git_push',
      triggerId,
      key: `push-key-${nextCount()}`,
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
  const get = async (answer: { eventId: string | null }) =>
    place.api.events.get.query({ id: answer.eventId ?? '' })
  expect(await get(await push('topic'))).toMatchObject({ state: 'ignored', reason: 'filtered' })
  let event = await get(await push('release/1'))
  expect(event.cause).toBeNull()
  const run = await place.api.runs.get.query({ id: event.runs[0]?.id ?? '' })
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
  await change(`insert into runs (id, organization_id, delivery_id, machine_id, agent_id, job_id, attempt, fence, last_hash, leased_at)
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
  const before = await place.api.events.list.query({ limit: 1 })
  const good = await place.api.jobs.rehearse.query({ id: job.id, payload: { a: 1 } })
  expect(good).toMatchObject({ fires: true, prompt: 'A is 1 none', filters: [{ holds: true, found: '1' }] })
  const written = { id: job.id, payload: { a: 1 }, prompt: 'Now {{ payload.a }}' }
  expect(await place.api.jobs.rehearse.query(written)).toMatchObject({ fires: true, prompt: 'Now 1' })
  const bad = await place.api.jobs.rehearse.query({ id: job.id, payload: { a: 2 } })
  expect(bad).toMatchObject({ fires: false, reason: 'filtered' })
  const body = '{"a":1,"b":"x"}'
  const event = await eventOf(await post(job.hook.url, body, sign(job.hook, body)))
  const stored = await place.api.jobs.rehearse.query({ id: job.id, eventId: event.id })
  expect(stored).toMatchObject({ fires: true, prompt: 'A is 1 x', trigger: { id: job.hook.triggerId } })
  await place.api.jobs.disable.mutate({ id: job.id })
  expect(await place.api.jobs.rehearse.query({ id: job.id, eventId: event.id })).toMatchObject({
    reason: 'job_disabled',
  })
  const after = await place.api.events.list.query({ limit: 2 })
  expect(after.items.map((one) => one.id)).toEqual([event.id, before.items[0]?.id])
})

test('a job that is not saved yet is rehearsed with a payload or an event, and what is missing is named', async () => {
  const before = await place.api.jobs.list.query()
  const draft = {
    prompt: '{{ payload.a }} {{ payload.b }} {{ payload.b }} {{ payload.c | default: "" }}',
    trigger: {
      kind: 'webhook' as const,
      scheme: 'standard' as const,
      filters: [{ field: 'payload.a', op: 'eq' as const, value: 1 }],
    },
    rules: { concurrency: { key: '{{ payload.repository }}', limit: 1 } },
  }
  const fires = await place.api.jobs.rehearseDraft.query({ ...draft, agent: 'demo', payload: { a: 1 } })
  expect(fires).toMatchObject({ fires: true, prompt: '1   ', missing: ['payload.b', 'payload.repository'] })
  expect(fires.next).toContain('"demo" on laptop')
  expect(await place.api.jobs.rehearseDraft.query({ ...draft, payload: { a: 2, b: 'x' } })).toMatchObject({
    fires: false,
    reason: 'filtered',
    prompt: '2 x x ',
  })
  expect(
    await place.api.jobs.rehearseDraft.query({ prompt: 'Only {{ job.key }}', key: 'mine' }),
  ).toMatchObject({
    fires: true,
    prompt: 'Only mine',
    missing: [],
  })
  const job = await makeJob([{ kind: 'webhook', scheme: 'standard' }])
  const body = '{"a":1}'
  const { id: eventId } = await eventOf(await post(job.hook.url, body, sign(job.hook, body)))
  expect(await place.api.jobs.rehearseDraft.query({ ...draft, eventId })).toMatchObject({ fires: true })
  expect(
    await place.api.jobs.rehearse.query({ id: job.id, eventId, prompt: '{{ payload.z }}' }),
  ).toMatchObject({
    missing: ['payload.z'],
  })
  await expect(place.api.jobs.rehearseDraft.query({ prompt: '{{ nothing }}' })).rejects.toThrow(
    'no such value',
  )
  const daily = { kind: 'cron' as const, expression: 'never', zone: 'UTC' }
  await expect(place.api.jobs.rehearseDraft.query({ prompt: 'go', trigger: daily })).rejects.toThrow('never')
  expect(await place.api.jobs.list.query()).toHaveLength(before.length + 1)
})

test('the inbox can be searched and filtered', async () => {
  const job = await makeJob([{ kind: 'webhook', scheme: 'standard' }])
  for (const body of ['{"needle-4711":1}', '{"hay":1}'])
    await post(job.hook.url, body, sign(job.hook, body, { id: `sender-${body.length}` }))
  await place.api.jobs.run.mutate({ id: job.id, payload: { by: 'hand' } })
  const find = (input: Parameters<typeof place.api.events.list.query>[0]) =>
    place.api.events.list.query({ jobId: job.key, ...input })
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
  const sample = await place.api.events.sendSample.mutate({ jobId: job.id })
  expect(sample).toMatchObject({ status: 202 })
  const event = await place.api.events.get.query({ id: sample.eventId ?? '' })
  expect(event).toMatchObject({ verification: { scheme: 'github' }, headers: { 'x-github-event': 'push' } })
  const replayed = await place.api.events.replay.mutate({ id: event.id, body: '{"ref":"refs/heads/other"}' })
  const again = await place.api.events.get.query({ id: replayed.eventId })
  expect(again).toMatchObject({ cause: { id: event.id, hops: 0 }, body: '{"ref":"refs/heads/other"}' })
  const run = await place.api.runs.get.query({ id: replayed.deliveries[0]?.runId ?? '' })
  expect(run.prompt).toBe('refs/heads/other')
  const fixture = await place.api.events.exportAs.query({ id: event.id, format: 'fixture' })
  expect(JSON.parse(fixture.text)).toMatchObject({ scheme: 'github', body: event.body })
  const curl = await place.api.events.exportAs.query({ id: event.id, format: 'curl' })
  expect(curl.text).not.toContain(job.hook.secret)
  const { execFileSync } = await import('node:child_process')
  const printed = execFileSync('sh', ['-c', curl.text], {
    env: { PATH: process.env.PATH, SECRET: job.hook.secret },
    encoding: 'utf8',
  })
  expect(JSON.parse(printed)).toMatchObject({ eventId: event.id })
})
