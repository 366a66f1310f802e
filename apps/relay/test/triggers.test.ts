import http from 'node:http'
import { encryptLarkBody } from '@baton/webhooks'
import { expect, test } from 'vitest'
import { nextCount, post, sign, withTriggers } from './support/with-triggers.ts'

const { place, makeJob, eventOf } = withTriggers()

test.each(['github', 'standard', 'slack', 'stripe', 'baton', 'bearer'] as const)(
  'a webhook of the scheme %s fires with its signature, is proven in the inbox, and without it is refused',
  async (scheme) => {
    const { hook, key } = await makeJob([{ kind: 'webhook', scheme }])
    const body = JSON.stringify({ id: `evt_${nextCount()}`, event_id: `Ev${nextCount()}`, zen: 'x' })
    const refused = await post(hook.url, body)
    expect(refused.status).toBe(401)
    const answer = await post(hook.url, body, sign(hook, body))
    expect(answer.status).toBe(202)
    expect(await eventOf(answer)).toMatchObject({ state: 'matched', verification: { scheme } })
    const refusals = await place.api.events.refused.query({ jobId: key })
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
  const run = await place.api.runs.get.query({
    id: String(((tries[0]?.body.deliveries ?? []) as string[])[0]),
  })
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
  const { items } = await place.api.events.list.query({ jobId: key })
  expect(items).toMatchObject([{ state: 'ignored', reason: 'filtered', deliveries: [] }])
})

test('a command of Slack, which is a form, fills the prompt', async () => {
  const { hook } = await makeJob([{ kind: 'webhook', scheme: 'slack' }], { prompt: '{{ payload.text }}' })
  const body = 'command=%2Ffix&text=the+tests'
  const answer = await post(hook.url, body, {
    ...sign(hook, body),
    'content-type': 'application/x-www-form-urlencoded',
  })
  const run = await place.api.runs.get.query({ id: String((answer.body.deliveries as string[])[0]) })
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
  expect((await place.api.events.list.query({ jobId: key })).items).toHaveLength(1)
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
  await place.api.jobs.update.mutate({ id: job.id, agent: 'claude' })
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
  const why = await place.api.why.explain.query({ id: String(other.body.eventId) })
  expect(why.sentence).toContain('x-kind')
  expect((await eventOf(other)).reasonMessage).toContain('x-kind')
  await place.api.jobs.updateTrigger.mutate({
    triggerId: job.hook.triggerId,
    change: { kind: 'webhook', filters: [] },
  })
  expect((await eventOf(await send(1, 'issue'))).state).toBe('matched')
  const view = await place.api.jobs.simulate.query({ id: job.id })
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
  const { secret } = await place.api.jobs.addTrigger.mutate({
    id: job.id,
    trigger: { kind: 'webhook', scheme: 'baton', path: 'my-path' },
  })
  if (!secret) throw new Error('no secret')
  await expect(makeJob([{ kind: 'webhook', scheme: 'baton', path: 'my-path' }])).rejects.toThrow('already')
  const send = () => post(secret.url, '{}', sign(secret, '{}'))
  await place.api.jobs.pauseTrigger.mutate({ triggerId: secret.triggerId })
  expect(await eventOf(await send())).toMatchObject({ state: 'ignored', reason: 'trigger_paused' })
  const paused = await place.api.why.explain.query({ id: job.id })
  expect(paused.conditions.map(({ code }) => code)).toContain('trigger_paused')
  await place.api.jobs.resumeTrigger.mutate({ triggerId: secret.triggerId })
  expect((await eventOf(await send())).state).toBe('matched')
  const left = await place.api.jobs.removeTrigger.mutate({ triggerId: secret.triggerId })
  expect(left.triggers).toEqual([])
  expect((await send()).status).toBe(404)
})

test('two secrets are valid during a rotation, and one alone when it became known to somebody', async () => {
  const { hook } = await makeJob([{ kind: 'webhook', scheme: 'standard' }])
  const { secret } = await place.api.jobs.rotateSecret.mutate({ triggerId: hook.triggerId })
  const works = async (one: string) =>
    (await post(hook.url, '{}', sign({ ...hook, secret: one }, '{}'))).status
  expect([await works(hook.secret), await works(secret)]).toEqual([202, 202])
  const alone = await place.api.jobs.rotateSecret.mutate({ triggerId: hook.triggerId, alone: true })
  expect([await works(secret), await works(alone.secret)]).toEqual([401, 202])
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
    [
      'addTrigger',
      ({ job: id }) => place.foreign.jobs.addTrigger.mutate({ id, trigger: { kind: 'git_push' } }),
    ],
    [
      'updateTrigger',
      ({ trigger }) =>
        place.foreign.jobs.updateTrigger.mutate({ triggerId: trigger, change: { kind: 'webhook' } }),
    ],
    ['removeTrigger', ({ trigger }) => place.foreign.jobs.removeTrigger.mutate({ triggerId: trigger })],
    ['pauseTrigger', ({ trigger }) => place.foreign.jobs.pauseTrigger.mutate({ triggerId: trigger })],
    ['resumeTrigger', ({ trigger }) => place.foreign.jobs.resumeTrigger.mutate({ triggerId: trigger })],
    ['rotateSecret', ({ trigger }) => place.foreign.jobs.rotateSecret.mutate({ triggerId: trigger })],
    ['nextFires', ({ trigger }) => place.foreign.jobs.nextFires.query({ schedule: { triggerId: trigger } })],
    ['rehearse', ({ job: id, event }) => place.foreign.jobs.rehearse.query({ id, eventId: event })],
    [
      'rehearseDraft',
      ({ event }) => place.foreign.jobs.rehearseDraft.query({ prompt: 'go', eventId: event }),
    ],
    ['simulate', ({ job: id }) => place.foreign.jobs.simulate.query({ id })],
    ['refused', ({ job: id }) => place.foreign.events.refused.query({ jobId: id })],
    ['sendSample', ({ job: id }) => place.foreign.events.sendSample.mutate({ jobId: id })],
    ['exportAs', ({ event }) => place.foreign.events.exportAs.query({ id: event, format: 'curl' })],
    ['replay', ({ event }) => place.foreign.events.replay.mutate({ id: event })],
    ['list', ({ trigger }) => place.foreign.events.list.query({ triggerId: trigger })],
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
  expect((await place.api.events.list.query({ jobId: key })).items).toEqual([])
})

test('an address that is gone and one that never was are answered alike, byte for byte (T-17)', async () => {
  const { hook } = await makeJob([{ kind: 'webhook', scheme: 'standard' }])
  await place.api.jobs.removeTrigger.mutate({ triggerId: hook.triggerId })
  const answer = async (url: string) => {
    const response = await fetch(url, { method: 'POST', body: '{}', redirect: 'manual' })
    const { instance: _, ...problem } = (await response.json()) as Record<string, unknown>
    return [response.status, response.headers.get('content-type'), problem]
  }
  expect(await answer(hook.url)).toEqual(
    await answer(`${place.relay.url}/hooks/${'x'.repeat(hook.path.length)}`),
  )
})
