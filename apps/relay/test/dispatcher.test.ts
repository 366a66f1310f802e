import { connect, insertEffect, listEffects } from '@baton/db'
import { createTestDatabase, eventually, makeDelivery, makePlace } from '@baton/testkit'
import { expect, test } from 'vitest'
import type { RelayParts } from '../src/api/context.ts'
import { createDispatcher } from '../src/outputs/dispatcher.ts'
import { createOutputSenders } from '../src/outputs/output-sender.ts'

test('a dispatcher whose database went away with a report in hand ends within its time, and only says so', async () => {
  await using database = await createTestDatabase()
  const [connection, other] = [connect(database.url), connect(database.url, { max: 1 })]
  const place = await makePlace(connection.db)
  const delivery = await makeDelivery(connection.db, place)
  const effect = await insertEffect(connection.db, {
    organizationId: place.organizationId,
    kind: 'webhook',
    key: 'effect',
    config: {},
    jobId: null,
    eventId: null,
    deliveryId: delivery.id,
    runId: delivery.runId,
  })
  const senders = createOutputSenders()
  const sent = Promise.withResolvers<void>()
  senders.register({
    kind: 'webhook',
    async send() {
      await connection.close()
      sent.resolve()
      return { result: 'sent' }
    },
  })
  const warnings: string[] = []
  const log = { info: () => undefined, warn: (_: object, text: string) => warnings.push(text) }
  const dispatcher = createDispatcher({
    config: { publicUrl: 'http://127.0.0.1:1' },
    keys: { seal: Buffer.alloc(32) },
    sessions: { machines: () => [], get: () => undefined },
    changes: { tell: () => undefined },
    outbound: {},
    now: Date.now,
    connection,
    senders,
    log,
  } as unknown as RelayParts)

  await dispatcher.start()
  await sent.promise
  const stoppedAt = performance.now()
  await dispatcher.stop()
  expect(performance.now() - stoppedAt).toBeLessThan(10_000)
  await eventually(() => expect(warnings.join('\n')).toContain('found out again when its claim has ended'))
  expect(await listEffects(other.db, delivery.id)).toMatchObject([{ id: effect.id, state: 'sending' }])
  await other.close()
}, 30_000)
