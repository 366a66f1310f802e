import path from 'node:path'
import { createTestDatabase } from '@baton/testkit'
import { expect, test } from 'vitest'
import { makeMutantTree } from './crash/mutant-tree.ts'
import { watchInACrowd, watchStalled } from './viewers.ts'

const isLarge = process.env.FAULTS === 'large'
const crowd = { viewers: isLarge ? 500 : 60, appends: isLarge ? 100 : 25 }
const stalled = { stalled: 5, mib: isLarge ? 96 : 32 }
/** A relay may take this much more under viewers that read nothing, most of it heap that is not given back under such a flood. */
const GROWTH_MIB = isLarge ? 350 : 200

test(`${crowd.viewers} viewers of one run on two relays read it from the database as often as two would`, async () => {
  await using database = await createTestDatabase()
  const found = await watchInACrowd({ ...crowd, databaseUrl: database.url })
  expect(found.gapsOrRepeats).toEqual([])
  expect(found.looks, JSON.stringify(found)).toBeLessThan(crowd.appends * 2 * 3)
}, 120_000)

test('viewers that stop reading are closed, cost bounded memory, and nobody else waits for them', async () => {
  await using database = await createTestDatabase()
  const found = await watchStalled({ ...stalled, databaseUrl: database.url })
  expect(found, JSON.stringify(found)).toMatchObject({
    closed: stalled.stalled,
    healthyLate: false,
    resumed: true,
  })
  expect(found.growthMib).toBeLessThan(GROWTH_MIB)
}, 120_000)

test.runIf(isLarge)(
  'the mutant in which each viewer reads for itself is found',
  async () => {
    using tree = makeMutantTree([
      { file: 'apps/relay/src/live/watched-run.ts', from: 'asked.hints === hints &&', to: 'false &&' },
    ])
    await using database = await createTestDatabase()
    const main = path.join(tree.root, 'apps/relay/src/main.ts')
    const found = await watchInACrowd({ ...crowd, databaseUrl: database.url, main })
    expect(found.looks, JSON.stringify(found)).toBeGreaterThan(crowd.appends * 2 * 3)
  },
  120_000,
)

test.runIf(isLarge)(
  'the mutant that sends into a socket that takes nothing is found',
  async () => {
    using tree = makeMutantTree([
      {
        file: 'apps/relay/src/live/drain-socket.ts',
        from: 'if (!socket || socket.bufferedAmount <= SOCKET_BUFFER_BYTES) return',
        to: 'if (Math.random() < 2) return',
      },
    ])
    await using database = await createTestDatabase()
    const main = path.join(tree.root, 'apps/relay/src/main.ts')
    const found = await watchStalled({ ...stalled, databaseUrl: database.url, main })
    expect(found.closed === 0 || found.growthMib > GROWTH_MIB, JSON.stringify(found)).toBe(true)
  },
  120_000,
)
