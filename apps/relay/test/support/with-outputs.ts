import type { DispatchView } from '@baton/protocol'
import { startTestReceiver, type TestReceiver } from '@baton/testkit'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { makeOutputPlace, type OutputPlace } from './output-place.ts'

/** A relay, a machine and a receiver of webhooks for the tests of this file; the receiver is new to each test. */
export function withOutputs() {
  const place = {} as OutputPlace
  const receiver = {} as TestReceiver
  beforeAll(async () => {
    Object.assign(receiver, await startTestReceiver())
    Object.assign(place, await makeOutputPlace())
  }, 60_000)
  afterAll(async () => {
    await place[Symbol.asyncDispose]?.()
    await receiver[Symbol.asyncDispose]?.()
  })
  beforeEach(() => {
    receiver.received.length = 0
    receiver.always({ status: 200, body: 'ok' })
  })
  const webhook = (more: object = {}) => ({
    kind: 'webhook' as const,
    config: { url: `${receiver.url}/hook?key=in-the-query`, ...more },
  })
  return { place, receiver, webhook }
}

/** Whether a dispatch was tried and is to be tried again. */
export const isWaiting = (dispatches: DispatchView[]) =>
  dispatches.some(({ state, tries }) => state === 'pending' && tries > 0)
