import { mkdtempDisposable, readdir, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@baton/service'
import { eventually } from '@baton/testkit'
import { expect, test } from 'vitest'
import { defaultPolicy } from '../config/policy.ts'
import { createOrderRecords } from './order-records.ts'
import { createOrders } from './orders.ts'

test('what a runner remembers of old outputs goes while it runs, not only at its start', async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'baton-orders-'))
  const folder = place.path
  const orders = createOrders({
    policy: async () => ({ ok: true, value: defaultPolicy() }),
    places: { homeFolder: folder, workFolders: [], ownFolders: [] },
    records: createOrderRecords(folder),
    report: async () => undefined,
    writes: { ready: async () => undefined, onError: () => undefined },
    logger: createLogger({ name: 'test', destination: { write: () => undefined } }),
    pruneEveryMs: 20,
  })
  await orders.start()
  try {
    const monthAgo = Date.now() / 1_000 - 31 * 86_400
    await writeFile(join(folder, 'new.json'), '{}')
    await writeFile(join(folder, 'old.json'), '{}')
    await utimes(join(folder, 'old.json'), monthAgo, monthAgo)
    await eventually(async () => expect(await readdir(folder)).toEqual(['new.json']))
  } finally {
    await orders.stop()
  }
})
