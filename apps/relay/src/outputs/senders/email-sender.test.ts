import { once } from 'node:events'
import { connect } from 'node:net'
import { outputText } from '@baton/protocol'
import { startTestMailServer, type TestMailServer } from '@baton/testkit'
import { expect, test } from 'vitest'
import type { ClaimedDispatch, SendContext } from '../output-sender.ts'
import { sampleFacts } from '../run-facts.ts'
import { createEmailSender } from './email-sender.ts'

/** Sends to a server that is reached at this address, as far as the sender can tell. */
async function send(server: TestMailServer, address: string, config: object = {}) {
  const dispatch = {
    id: 'dsp_1',
    config: {
      to: ['ops@example.com'],
      from: 'baton@example.com',
      host: 'localhost',
      port: server.port,
      ...config,
    },
    text: outputText.parse({}),
  } as unknown as ClaimedDispatch<'email'>
  const context = {
    facts: sampleFacts({ key: 'k', name: 'K' }, 'http://relay', 0),
    message: { subject: 'K is done', body: 'Hello', format: 'text' },
    signal: AbortSignal.timeout(5_000),
    publicUrl: 'http://relay',
    outbound: {
      async openMail() {
        const socket = connect(server.port, '127.0.0.1')
        await once(socket, 'connect')
        return { result: 'open', socket, address }
      },
    },
  } as unknown as SendContext
  return createEmailSender(null).send(dispatch, context)
}

test('to this computer itself mail goes as it is', async () => {
  await using server = await startTestMailServer()
  expect(await send(server, '127.0.0.1')).toMatchObject({ result: 'sent' })
  expect(server.received).toMatchObject([{ secure: false, to: ['ops@example.com'] }])
})

test('a server elsewhere that offers no encryption gets nothing', async () => {
  await using server = await startTestMailServer()
  const result = await send(server, '192.0.2.1')
  expect(result).toMatchObject({
    result: 'retry',
    why: expect.stringContaining('offers no connection that can be trusted'),
  })
  expect(server.received).toEqual([])
})

test('a server elsewhere that cannot prove its name gets neither the mail nor the password', async () => {
  await using server = await startTestMailServer({
    selfSigned: true,
    auth: { user: 'ci', password: 'canary' },
  })
  const result = await send(server, '192.0.2.1', { user: 'ci', password: 'canary' })
  expect(result).toMatchObject({ result: 'retry', why: expect.stringContaining('certificate') })
  expect(JSON.stringify(result)).not.toContain('canary')
  expect(server.received).toEqual([])
})

test('a wrong password is not tried again, and is not told', async () => {
  await using server = await startTestMailServer({ auth: { user: 'ci', password: 'right' } })
  const wrong = await send(server, '127.0.0.1', { user: 'ci', password: 'canary' })
  expect(wrong).toMatchObject({
    result: 'failed',
    why: expect.stringContaining('Invalid username or password'),
  })
  expect(JSON.stringify(wrong)).not.toContain('canary')
  expect(await send(server, '127.0.0.1', { user: 'ci', password: 'right' })).toMatchObject({ result: 'sent' })
  expect(server.received).toMatchObject([{ user: 'ci' }])
})
