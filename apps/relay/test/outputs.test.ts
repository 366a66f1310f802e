import { sql } from '@baton/db'
import { KEPT_SECRET } from '@baton/protocol'
import { newTestId } from '@baton/testkit'
import { verifySignature } from '@baton/webhooks'
import { expect, test } from 'vitest'
import { withOutputs } from './support/with-outputs.ts'

const { place, receiver, webhook } = withOutputs()

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
