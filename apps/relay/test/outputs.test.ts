import { sql } from '@baton/db'
import { type DispatchView, KEPT_SECRET } from '@baton/protocol'
import {
  newTestId,
  startStandInSlack,
  startTestMailServer,
  startTestReceiver,
  type TestReceiver,
} from '@baton/testkit'
import { verifySignature } from '@baton/webhooks'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { makeOutputPlace, type OutputPlace } from './support/output-place.ts'

let place: OutputPlace
let receiver: TestReceiver

beforeAll(async () => {
  receiver = await startTestReceiver()
  place = await makeOutputPlace()
}, 60_000)
afterAll(async () => {
  await place?.[Symbol.asyncDispose]()
  await receiver?.[Symbol.asyncDispose]()
})
beforeEach(() => {
  receiver.received.length = 0
  receiver.always({ status: 200, body: 'ok' })
})

const webhook = (more: object = {}) => ({
  kind: 'webhook' as const,
  config: { url: `${receiver.url}/hook?key=in-the-query`, ...more },
})
const isWaiting = (dispatches: DispatchView[]) =>
  dispatches.some(({ state, tries }) => state === 'pending' && tries > 0)

test('a webhook is signed as Standard Webhooks says, and carries the run, its cause and the headers', async () => {
  const { key, outputSecrets } = await place.job([
    webhook({ headers: { Authorization: 'Bearer canary-header' } }),
  ])
  const run = await place.finish(key, { result: '{"answer": 42}' })
  const [sent] = await place.dispatches(run)
  expect(sent).toMatchObject({ state: 'sent', kind: 'webhook', tries: 1, sentence: 'Sent.' })
  const [request] = receiver.received
  expect(request?.headers).toMatchObject({
    authorization: 'Bearer canary-header',
    'content-type': 'application/json',
    'webhook-id': sent?.id,
    'x-baton-cause': `${run.id}; hops=1`,
  })
  const verified = verifySignature({
    scheme: 'standard',
    secrets: [outputSecrets[0]?.secret ?? ''],
    headers: Object.fromEntries(
      Object.entries(request?.headers ?? {}).map(([name, value]) => [name, [value ?? '']]),
    ),
    rawBody: Buffer.from(request?.body ?? ''),
    nowMs: Date.now(),
  })
  expect(verified).toMatchObject({ ok: true })
  expect(JSON.parse(request?.body ?? '')).toMatchObject({
    type: 'run.finished',
    data: { run: { id: run.id, status: 'done', outcome: 'done', result: { answer: 42 } }, job: { key } },
  })
})

test('secrets go in and never come out: not in views, rows, logs or the list of a job', async () => {
  const secret = `whsec_${Buffer.from('c'.repeat(32)).toString('base64')}`
  const { key, job, outputSecrets } = await place.job([
    webhook({ secret, headers: { 'X-Key': 'canary-header-value' } }),
    { kind: 'slack', config: { webhookUrl: `${receiver.url}/services/canary-slack` } },
  ])
  expect(outputSecrets).toEqual([])
  const views = await place.api.outputs.list.query({ job: key })
  expect(views[0]).toMatchObject({
    target: `${receiver.url}/hook?…`,
    config: { secret: KEPT_SECRET, headers: { 'X-Key': KEPT_SECRET } },
  })
  expect(views[1]).toMatchObject({ target: 'an incoming webhook', config: { webhookUrl: KEPT_SECRET } })
  await place.dispatches(await place.finish(key))
  const { rows } = await sql<{ text: string }>`
    select coalesce(string_agg(o::text, ''), '') || (select coalesce(string_agg(d::text, ''), '') from dispatches d) as text
    from outputs o`.execute(place.connection.db)
  for (const shown of [JSON.stringify(views), JSON.stringify(job), rows[0]?.text, place.relay().log()]) {
    expect(shown).not.toMatch(new RegExp(`canary|${secret.slice(6)}`))
  }
})

test('*** keeps a secret when an output is changed, and is refused where there is none', async () => {
  const { key } = await place.job([webhook({ headers: { Authorization: 'Bearer one', 'X-B': 'two' } })])
  const [output] = await place.api.outputs.list.query({ job: key })
  const id = output?.id ?? ''
  const url = `${receiver.url}/other`
  await place.api.outputs.update.mutate({
    id,
    config: { ...output?.config, url, headers: { Authorization: KEPT_SECRET } },
  })
  await place.dispatches(await place.finish(key))
  expect(receiver.received[0]).toMatchObject({ path: '/other', headers: { authorization: 'Bearer one' } })
  expect(receiver.received[0]?.headers).not.toHaveProperty('x-b')
  const kept = place.api.outputs.update.mutate({ id, config: { url, headers: { 'X-New': KEPT_SECRET } } })
  await expect(kept).rejects.toThrow('there is none')
  const create = place.api.outputs.create.mutate({
    job: key,
    kind: 'webhook',
    config: { url, secret: KEPT_SECRET },
  })
  await expect(create).rejects.toThrow('there is none')
})

test.each([
  [{ kind: 'room' as const }, 'do not exist yet'],
  [{ kind: 'lark' as const }, 'do not exist yet'],
  [{ kind: 'github_check' as const }, 'made by the GitHub App'],
  [{ kind: 'webhook' as const, config: {} }, 'url'],
  [
    { kind: 'webhook' as const, config: { url: 'http://169.254.169.254/latest' } },
    'not on the public internet',
  ],
  [{ kind: 'webhook' as const, config: { url: 'https://u:p@example.com/' } }, 'user name or password'],
  [
    { kind: 'webhook' as const, config: { url: 'https://example.com/', headers: { 'webhook-id': 'x' } } },
    'set by the relay',
  ],
  [
    { kind: 'webhook' as const, config: { url: 'https://example.com/', headers: { A: 'b\r\nC: d' } } },
    'one line',
  ],
  [{ kind: 'webhook' as const, config: { url: 'https://example.com/', secret: 'short' } }, 'secret'],
  [{ kind: 'slack' as const, config: { token: 'xoxb-1' } }, 'channel'],
  [{ kind: 'email' as const, config: { to: ['a@example.com'] } }, 'no mail server'],
  [
    { kind: 'email' as const, config: { to: ['a@example.com\r\nBcc: b@example.com'], host: '127.0.0.1' } },
    'one line',
  ],
  [
    { kind: 'email' as const, config: { to: ['a@example.com'], host: '10.0.0.1' } },
    'not on the public internet',
  ],
  [{ kind: 'file' as const, config: { path: '{{ payload.name }}.txt' } }, 'there is no such value'],
  [{ kind: 'log' as const, text: { body: '{{ run.nothing }}' } }, 'there is no such value'],
  [{ kind: 'log' as const, text: { subject: '{{ secrets.key }}' } }, 'there is no such value'],
  [{ kind: 'log' as const, text: { schema: { type: 'nonsense' } } }, 'schema'],
  [{ kind: 'log' as const, on: 'started' as const, text: { schema: { type: 'object' } } }, 'has none'],
])('an output that could never work is refused when it is saved: %j', async (output, why) => {
  await expect(place.job([output as never])).rejects.toThrow(why)
})

test('a job is made with all of its outputs, or not at all', async () => {
  const { api } = place
  const count = async () => [(await api.outputs.list.query()).length, (await api.jobs.list.query()).length]
  const taken = await api.jobs.create.mutate({
    key: 'with-outputs',
    agent: 'demo',
    prompt: 'go',
    triggers: [{ kind: 'webhook', scheme: 'standard', path: 'taken' }],
    outputs: [{ kind: 'log', on: 'failure' }, webhook()],
  })
  expect(await api.outputs.list.query({ job: 'with-outputs' })).toMatchObject([
    { kind: 'log', on: 'failure' },
    { kind: 'webhook', id: taken.outputSecrets[0]?.outputId },
  ])
  const before = await count()
  const job = { agent: 'demo', prompt: 'go', outputs: [{ kind: 'log' as const }] }
  const samePath = [{ kind: 'webhook' as const, scheme: 'standard' as const, path: 'taken' }]
  await expect(api.jobs.create.mutate({ ...job, key: 'other-path', triggers: samePath })).rejects.toThrow()
  const wrong = { kind: 'log' as const, text: { body: '{{ run.nothing }}' } }
  await expect(
    api.jobs.create.mutate({ ...job, key: 'wrong-output', outputs: [{ kind: 'log' }, wrong] }),
  ).rejects.toThrow('no such value')
  expect(await count()).toEqual(before)
})

test('on decides: success, failure and always, and a cancelled run is told of by always alone', async () => {
  const log = (on: 'success' | 'failure' | 'always' | 'accepted' | 'started') => ({
    kind: 'log' as const,
    on,
  })
  const { key } = await place.job([
    log('success'),
    log('failure'),
    log('always'),
    log('accepted'),
    log('started'),
  ])
  const toldOf = async (end: object) =>
    (await place.dispatches(await place.finish(key, end))).map(({ on }) => String(on)).toSorted()
  expect(await toldOf({})).toEqual(['accepted', 'always', 'started', 'success'])
  expect(await toldOf({ state: 'failed', outcome: 'error', errorKind: 'crashed' })).toEqual([
    'accepted',
    'always',
    'failure',
    'started',
  ])
  expect(await toldOf({ state: 'cancelled' })).toEqual(['accepted', 'always', 'started'])
  const { runId } = await place.api.jobs.run.mutate({ id: key })
  await place.api.runs.cancel.mutate({ id: runId })
  expect((await place.dispatches({ id: runId })).map(({ on }) => on)).toEqual(['always'])
})

test('a log output is kept with its run, filled in from the run, the job, the event and the payload', async () => {
  const { key } = await place.job([
    {
      kind: 'log',
      text: {
        subject: '{{ job.key }} {{ run.outcome }}',
        body: '{{ run.result }} by {{ agent.key }} on {{ machine.name }} for {{ payload.who }}: {{ payload.gone | default: "nobody" }}',
      },
    },
  ])
  const [logged] = await place.dispatches(
    await place.finish(key, { result: 'It is {{ job.key }}.' }, { who: 'Ada' }),
  )
  expect(logged?.content).toBe(`${key} done\n\nIt is {{ job.key }}. by demo on laptop for Ada: nobody`)
})

test('a result that does not match the schema is not sent as a success, and the outputs for failures are told', async () => {
  const schema = { type: 'object', required: ['ok'], properties: { ok: { type: 'boolean' } } }
  const { key } = await place.job([
    { ...webhook(), on: 'success', text: { schema } },
    { kind: 'log', on: 'failure', text: { body: '{{ run.status }}: {{ run.error }}' } },
  ])
  const wrong = await place.dispatches(
    await place.finish(key, { result: '{"ok": "yes"}' }),
    (all) => all.length === 2 && all.every(({ state }) => state !== 'pending' && state !== 'sending'),
  )
  expect(wrong.map(({ state }) => state)).toEqual(['failed', 'sent'])
  expect(wrong[0]?.sentence).toContain('/ok must be boolean')
  expect(wrong[1]?.content).toContain('failed: The result does not match the schema')
  expect(receiver.received).toEqual([])
  const right = await place.dispatches(
    await place.finish(key, { result: 'Here it is:\n```json\n{"ok": true}\n```\n' }),
  )
  expect(right.map(({ state }) => state)).toEqual(['sent'])
})

test('what is refused for a while is tried again when the receiver says, under the same id', async () => {
  const { key } = await place.job([webhook()])
  receiver.next({ status: 429, headers: { 'retry-after': '7200' }, body: 'slow down' }, { status: 500 })
  const run = await place.finish(key)
  const [first] = await place.dispatches(run, isWaiting)
  expect(first).toMatchObject({ tries: 1, lastError: 'The receiver answered 429. It said: slow down' })
  expect((first?.nextAt ?? 0) - Date.now()).toBeGreaterThan(7_100_000)
  expect(first?.sentence).toContain('The next one is in 2 h')
  await place.timePasses(run)
  const [second] = await place.dispatches(run, (all) => all[0]?.tries === 2 && isWaiting(all))
  expect((second?.nextAt ?? 0) - Date.now()).toBeLessThan(31_000)
  await place.timePasses(run)
  const [third] = await place.dispatches(run)
  expect(third).toMatchObject({ state: 'sent', tries: 3, sentence: 'Sent with try 3.', maybeRepeated: false })
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect((await place.api.dispatches.get.query({ id: third?.id ?? '' })).attempts).toMatchObject([
    { result: 'retry', why: expect.stringContaining('429') },
    { result: 'retry', why: expect.stringContaining('500') },
    { result: 'sent', why: null },
  ])
})

test('after ten tries a dispatch is dead, says so on the overview and in why, and can be sent again by hand', async () => {
  const { key } = await place.job([webhook()])
  receiver.always({ status: 503 })
  const run = await place.finish(key)
  for (let tries = 1; tries < 10; tries++) {
    await place.dispatches(run, (all) => all[0]?.tries === tries && isWaiting(all))
    await place.timePasses(run)
  }
  const [dead] = await place.dispatches(run)
  expect(dead).toMatchObject({ state: 'dead', tries: 10, nextAt: null })
  expect(dead?.sentence).toContain('all 10 tries failed. The receiver answered 503.')
  const { troubledDispatches } = await place.api.overview.get.query()
  expect(troubledDispatches.map(({ id }) => id)).toContain(dead?.id)
  const why = await place.api.why.explain.query({ id: run.id })
  expect(why.conditions).toMatchObject([{ code: 'output_dead', command: `baton dispatch retry ${dead?.id}` }])
  receiver.always({ status: 204 })
  await place.api.dispatches.sendAgain.mutate({ id: dead?.id ?? '' })
  const [sent] = await place.dispatches(run)
  expect(sent).toMatchObject({ state: 'sent', id: dead?.id })
  await expect(place.api.dispatches.sendAgain.mutate({ id: dead?.id ?? '' })).rejects.toThrow('is sent')
})

test('410 switches the output off with the reason, and what waits for it is skipped', async () => {
  const { key } = await place.job([webhook()])
  receiver.next({ status: 500 })
  const waiting = await place.finish(key)
  await place.dispatches(waiting, isWaiting)
  receiver.next({ status: 410, body: 'moved away' })
  const [gone] = await place.dispatches(await place.finish(key))
  expect(gone).toMatchObject({ state: 'failed', output: { enabled: false } })
  const [output] = await place.api.outputs.list.query({ job: key })
  expect(output).toMatchObject({ enabled: false, disabledReason: expect.stringContaining('410') })
  await place.timePasses(waiting)
  expect(await place.dispatches(waiting)).toMatchObject([{ state: 'skipped' }])
  const again = place.api.dispatches.sendAgain.mutate({ id: gone?.id ?? '' })
  await expect(again).rejects.toThrow('switched off')
  expect((await place.finish(key)).dispatches).toEqual([])
  const on = await place.api.outputs.enable.mutate({ id: output?.id ?? '' })
  expect(on).toMatchObject({ enabled: true, disabledReason: null })
})

test('a redirect is not followed and says where the mistake is', async () => {
  const { key } = await place.job([webhook()])
  receiver.next({ status: 307, headers: { location: `${receiver.url}/elsewhere` } })
  const [waiting] = await place.dispatches(await place.finish(key), isWaiting)
  expect(waiting?.lastError).toContain('redirects are not followed')
  expect(receiver.received).toHaveLength(1)
})

test('an answer that is lost after the receipt is repeated under the same id, and says that it may have come twice', async () => {
  const { key } = await place.job([webhook()])
  receiver.next('lose')
  const run = await place.finish(key)
  await place.dispatches(run, isWaiting)
  await place.timePasses(run)
  const [sent] = await place.dispatches(run)
  expect(sent).toMatchObject({ state: 'sent', tries: 2, maybeRepeated: true })
  expect(sent?.sentence).toContain('may have it twice')
  expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual([sent?.id, sent?.id])
})

test('a dispatch that waits can be skipped, and no other', async () => {
  const { key } = await place.job([webhook()])
  receiver.next({ status: 500 })
  const run = await place.finish(key)
  const [waiting] = await place.dispatches(run, isWaiting)
  await place.api.dispatches.skip.mutate({ id: waiting?.id ?? '' })
  expect(await place.dispatches(run)).toMatchObject([{ state: 'skipped', lastError: 'A person skipped it.' }])
  await expect(place.api.dispatches.skip.mutate({ id: waiting?.id ?? '' })).rejects.toThrow(
    'only one that waits',
  )
})

test('the test of an output sends a sample and answers what came of it, and stores nothing', async () => {
  const { key } = await place.job([webhook()])
  const [output] = await place.api.outputs.list.query({ job: key })
  const id = output?.id ?? ''
  expect(await place.api.outputs.test.mutate({ id })).toMatchObject({
    ok: true,
    sentence: 'The sample was sent.',
  })
  expect(JSON.parse(receiver.received[0]?.body ?? '').data.run.result).toContain('a sample')
  receiver.next({ status: 401, body: 'who are you' })
  const refused = await place.api.outputs.test.mutate({ id })
  expect(refused).toMatchObject({ ok: false, sentence: expect.stringContaining('401. It said: who are you') })
  expect((await place.api.dispatches.list.query({ outputId: id })).items).toEqual([])
})

test('Slack gets an escaped message through its webhook, and its errors are told in words', async () => {
  await using slack = await startStandInSlack()
  const { key } = await place.job([
    {
      kind: 'slack',
      config: { webhookUrl: slack.webhookUrl },
      text: { format: 'markdown', body: '{{ run.result }}' },
    },
  ])
  const result = '**Bold** <!channel> & [docs](https://example.com/a) <@U1> [x](javascript:1)'
  const [sent] = await place.dispatches(await place.finish(key, { result }))
  expect(sent?.state).toBe('sent')
  expect(slack.posted[0]?.text).toContain(
    '*Bold* &lt;!channel&gt; &amp; <https://example.com/a|docs> &lt;@U1&gt; [x](javascript:1)',
  )
  await place.dispatches(await place.finish(key, { result: 'long '.repeat(10_000) }))
  expect(slack.posted[1]?.text.length).toBeLessThan(4_200)
  expect(slack.posted[1]?.text).toContain('more characters at http')
  slack.server.next({ status: 404, body: 'no_service' })
  const [removed] = await place.dispatches(await place.finish(key))
  expect(removed).toMatchObject({ state: 'failed', output: { enabled: false } })
  expect(removed?.lastError).toContain('webhook was removed')
})

test('a Slack bot posts once, although the answer to the first try is lost', async () => {
  await using slack = await startStandInSlack()
  const config = { token: slack.token, channel: slack.channel, apiUrl: slack.apiUrl }
  const { key } = await place.job([{ kind: 'slack', config }])
  for (const how of ['lost_after', 'lost_before'] as const) {
    slack.posted.length = 0
    slack.fail('chat.postMessage', how)
    const run = await place.finish(key)
    await place.dispatches(run, isWaiting)
    await place.timePasses(run)
    const [sent] = await place.dispatches(run)
    expect(sent).toMatchObject({ state: 'sent', maybeRepeated: false })
    expect(slack.posted).toHaveLength(1)
    expect(sent?.externalId).toBe(`${slack.channel}:${slack.posted[0]?.ts}`)
  }
  slack.fail('chat.postMessage', { status: 429, retryAfter: 30 })
  const limited = await place.finish(key)
  const [waiting] = await place.dispatches(limited, isWaiting)
  expect(waiting).toMatchObject({ lastError: 'Slack asks to wait.' })
  expect((waiting?.nextAt ?? 0) - Date.now()).toBeGreaterThan(25_000)
  slack.fail('chat.postMessage', { error: 'not_in_channel' })
  const [failed] = await place.dispatches(await place.finish(key))
  expect(failed?.sentence).toContain('Invite it there')
})

test('mail goes out as text and HTML, escaped, to fixed recipients, with headers that nobody can add to', async () => {
  await using mail = await startTestMailServer()
  const { key } = await place.job([
    {
      kind: 'email',
      config: {
        to: ['ops@example.com', 'dev@example.com'],
        from: 'baton@example.com',
        host: mail.host,
        port: mail.port,
      },
      text: {
        format: 'markdown',
        subject: '{{ payload.title }}',
        body: '# {{ payload.title }}\n\n{{ run.result }}',
      },
    },
  ])
  const title = 'Hello\r\nBcc: thief@example.com\r\n\r\n<b>x</b>'
  const [sent] = await place.dispatches(
    await place.finish(
      key,
      { result: '<img src=x onerror=alert(1)> **bold** [ok](https://example.com/)' },
      { title },
    ),
  )
  expect(sent).toMatchObject({ state: 'sent', target: 'ops@example.com, dev@example.com' })
  const [received] = mail.received
  expect(received).toMatchObject({ from: 'baton@example.com', to: ['ops@example.com', 'dev@example.com'] })
  const [headers = '', ...rest] = received?.source.split('\r\n\r\n') ?? []
  expect(headers).toContain('Subject: Hello Bcc: thief@example.com <b>x</b>')
  expect(headers).not.toMatch(/^Bcc:/im)
  expect(headers).toContain(`Message-ID: <${sent?.id}@127.0.0.1>`)
  const html = rest.join('\r\n\r\n').replaceAll('=\r\n', '').split('Content-Type: text/html')[1]
  expect(html).toContain('&lt;img src=3Dx onerror=3Dalert(1)&gt; <strong>bold</strong>')
  expect(html).not.toContain('<img')
})

test('a mail server that says no for now is asked again, one that says no for good is not', async () => {
  await using mail = await startTestMailServer()
  const config = { to: ['ops@example.com'], from: 'baton@example.com', host: mail.host, port: mail.port }
  const { key } = await place.job([{ kind: 'email', config }])
  mail.next({ code: 451, message: 'greylisted' })
  const [waiting] = await place.dispatches(await place.finish(key), isWaiting)
  expect(waiting?.lastError).toContain('greylisted')
  mail.next({ code: 550, message: 'no such mailbox' })
  const [failed] = await place.dispatches(await place.finish(key))
  expect(failed).toMatchObject({ state: 'failed', lastError: expect.stringContaining('no such mailbox') })
  mail.next('lose')
  const run = await place.finish(key)
  await place.dispatches(run, isWaiting)
  mail.received.length = 0
  await place.timePasses(run)
  expect(await place.dispatches(run)).toMatchObject([{ state: 'sent', maybeRepeated: true }])
})

test("another organization's outputs and dispatches are as unknown as ones that never were", async () => {
  const { key } = await place.job([webhook()])
  const [sent] = await place.dispatches(await place.finish(key))
  const [output] = await place.api.outputs.list.query({ job: key })
  const { outputs, dispatches } = place.theirs
  const answers = async (outputId: string, dispatchId: string) =>
    Promise.all(
      [
        outputs.get.query({ id: outputId }),
        outputs.update.mutate({ id: outputId, on: 'success' }),
        outputs.enable.mutate({ id: outputId }),
        outputs.disable.mutate({ id: outputId }),
        outputs.delete.mutate({ id: outputId }),
        outputs.test.mutate({ id: outputId }),
        dispatches.get.query({ id: dispatchId }),
        dispatches.sendAgain.mutate({ id: dispatchId }),
        dispatches.skip.mutate({ id: dispatchId }),
      ].map((call) =>
        (call as Promise<unknown>).then(
          () => 'answered',
          (error: Error & { data?: { httpStatus?: number } }) =>
            `${error.data?.httpStatus} ${error.message.replace(/(out|dsp)_[0-9a-f]+/, 'id')}`,
        ),
      ),
    )
  const real = await answers(output?.id ?? '', sent?.id ?? '')
  expect(real).toEqual(await answers(newTestId('output'), newTestId('dispatch')))
  expect(new Set(real.map((answer) => answer.slice(0, 3)))).toEqual(new Set(['404']))
  await expect(outputs.list.query({ job: key })).rejects.toThrow('no job')
  await expect(outputs.create.mutate({ job: key, kind: 'log' })).rejects.toThrow('no job')
  expect((await dispatches.list.query({})).items).toEqual([])
  expect((await dispatches.list.query({ outputId: output?.id })).items).toEqual([])
  expect(await outputs.list.query({})).toEqual([])
})
