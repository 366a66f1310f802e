import { startStandInSlack, startTestReceiver } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeOutputPlace, type OutputPlace } from './support/output-place.ts'

/**
 * A relay is killed at each step of a try: the receiver holds the request at that step until the relay is gone. What it
 * leaves is a claim that ends by itself (`timePasses`), and the next relay goes on from there.
 */

let place: OutputPlace
beforeAll(async () => {
  place = await makeOutputPlace()
}, 60_000)
afterAll(() => place?.[Symbol.asyncDispose]())

test('a relay that is killed before and after a Slack bot has posted leaves exactly one message', async () => {
  await using slack = await startStandInSlack()
  const config = { token: slack.token, channel: slack.channel, apiUrl: slack.apiUrl }
  const { key } = await place.job([{ kind: 'slack', config, text: { body: '{{ payload.step }}' } }])
  for (const step of ['received', 'posted'] as const) {
    const killed = Promise.withResolvers<void>()
    const reached = Promise.withResolvers<void>()
    slack.server.next((request, response) => {
      // The request is here whole; for `posted` it takes effect, and in every case the relay never learns of it.
      if (step === 'posted') {
        const { text, metadata } = JSON.parse(request.body) as { text: string; metadata: unknown }
        slack.posted.push({
          channel: slack.channel,
          ts: `${Math.floor(Date.now() / 1000)}.000001`,
          text,
          metadata,
        })
      }
      reached.resolve()
      void killed.promise.then(() => response.socket?.destroy())
    })
    const run = await place.finish(key, {}, { step })
    await reached.promise
    await place.restart()
    killed.resolve()
    await place.timePasses(run)
    const [sent] = await place.dispatches(run)
    expect(sent).toMatchObject({ state: 'sent', tries: 2, maybeRepeated: false })
    expect(slack.posted.filter(({ text }) => text.includes(step))).toHaveLength(1)
  }
}, 60_000)

test('a relay that is killed while it sends a webhook loses nothing: the next one repeats it under the same id', async () => {
  await using receiver = await startTestReceiver()
  const { key } = await place.job([{ kind: 'webhook', config: { url: receiver.url } }])
  const reached = Promise.withResolvers<void>()
  receiver.next(() => reached.resolve())
  const run = await place.finish(key)
  await reached.promise
  await place.restart()
  const [held] = (await place.api.runs.get.query({ id: run.id })).dispatches
  expect(held).toMatchObject({ state: 'sending', tries: 1 })
  await place.timePasses(run)
  const [sent] = await place.dispatches(run)
  expect(sent).toMatchObject({ state: 'sent', tries: 2, maybeRepeated: true })
  expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual([sent?.id, sent?.id])
}, 60_000)

test('a relay that is killed before it has looked at all loses nothing', async () => {
  await using receiver = await startTestReceiver()
  const { key } = await place.job([{ kind: 'webhook', config: { url: receiver.url } }, { kind: 'log' }])
  const run = await place.finish(key)
  await place.restart()
  await place.timePasses(run)
  expect((await place.dispatches(run)).map(({ state }) => state)).toEqual(['sent', 'sent'])
}, 60_000)
