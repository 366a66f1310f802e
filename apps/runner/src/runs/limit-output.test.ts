import { createHash } from 'node:crypto'
import type { RunEventBody } from '@baton/protocol'
import { expect, test } from 'vitest'
import { createOutputLimit, type LimitState, type Storable } from './limit-output.ts'

const bounds = { headBytes: 10, tailBytes: 4 }
const at = (stdout: number) => ({ committed: { stdout, stderr: 0 }, state: null })
const output = (text: string): RunEventBody => ({ type: 'output', stream: 'stdout', text })
const textOf = (events: RunEventBody[]) =>
  events.map((event) => (event.type === 'output' ? event.text : event.type))

function feed(words: string[], from: LimitState | null = null, offset = 0) {
  const limit = createOutputLimit(bounds, from)
  const stored: Storable[] = []
  let position = offset
  for (const word of words) {
    position += word.length
    const storable = limit.add([output(word)], at(position))
    if (storable) stored.push(storable)
  }
  return { limit, stored }
}

test('output below the limit is stored as it comes and nothing is cut', () => {
  const { limit, stored } = feed(['12345', '67890'])
  expect(textOf(stored.flatMap(({ events }) => events))).toEqual(['12345', '67890'])
  expect(limit.finish()).toBeNull()
})

test('of output above the limit the head and the tail are kept, the rest is counted and hashed', () => {
  const { limit, stored } = feed(['12345', '67890', 'abcd', 'efgh', 'ijkl'])
  expect(textOf(stored.flatMap(({ events }) => events))).toEqual(['12345', '67890'])
  const end = limit.finish()
  expect(end?.events).toEqual([
    {
      type: 'cut',
      stream: 'stdout',
      droppedBytes: 8,
      sha256: createHash('sha256').update('abcdefgh').digest('hex'),
      why: expect.any(String),
    },
    output('ijkl'),
  ])
  expect(end?.position.committed.stdout).toBe(22)
})

test('a position that is stored while output is dropped never lies behind the tail that only memory holds', () => {
  const limit = createOutputLimit({ headBytes: 0, tailBytes: 4 }, null)
  const chunk = 'x'.repeat(1024 * 1024)
  const positions: number[] = []
  for (let n = 1; n <= 9; n += 1) {
    const storable = limit.add([output(chunk)], at(n))
    if (storable) positions.push(storable.position.committed.stdout)
  }
  expect(positions).toEqual([4, 8])
})

test('a runner that takes over in the middle says both stretches that were left out', () => {
  const first = createOutputLimit({ headBytes: 0, tailBytes: 0 }, null)
  first.add([output('ab')], at(2))
  const usage: RunEventBody = { type: 'consumed' }
  const stored = first.add([usage, output('cd')], at(4)) ?? first.add([output('ef')], at(6))
  expect(stored?.position.committed.stdout).toBeGreaterThanOrEqual(2)
  const again = createOutputLimit({ headBytes: 0, tailBytes: 0 }, stored?.limit ?? null)
  again.add([output('ef')], at(6))
  again.add([output('gh')], at(8))
  const cuts = again.finish()?.events.filter((event) => event.type === 'cut')
  expect(cuts?.map((cut) => cut.droppedBytes)).toEqual([4, 2])
})

test('events that say what the run is are kept in their order, also beyond the limit', () => {
  const limit = createOutputLimit({ headBytes: 0, tailBytes: 0 }, null)
  const session: RunEventBody = { type: 'session', sessionId: 's', model: null }
  limit.add([session, output('ab')], at(2))
  expect(limit.add([output('cd')], at(4))?.events).toEqual([session])
})
