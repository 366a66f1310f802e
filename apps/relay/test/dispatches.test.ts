import { startStandInSlack, startTestMailServer } from '@baton/testkit'
import { expect, test } from 'vitest'
import { isWaiting, withOutputs } from './support/with-outputs.ts'

const { place, receiver, webhook } = withOutputs()

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
