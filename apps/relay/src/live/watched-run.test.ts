import type { EncodedRunEvent } from '@baton/protocol'
import { expect, test } from 'vitest'
import { createWatchedRun } from './watched-run.ts'

/** A run whose stored events grow, and what was asked about it. */
function setUp() {
  const stored: EncodedRunEvent[] = []
  const asked = { looks: 0, ends: 0 }
  const state = { ended: false, beforeEnd: () => {} }
  const run = createWatchedRun(
    async (afterSeq, limit) => {
      asked.looks++
      return stored.slice(afterSeq, afterSeq + limit)
    },
    async () => {
      asked.ends++
      state.beforeEnd()
      return state.ended
    },
  )
  const store = (count: number) => {
    const items = Array.from({ length: count }, (_, i) => ({ seq: stored.length + 1 + i, text: 'x' }))
    stored.push(...items)
    return items
  }
  return { run, asked, state, store }
}

const seqs = (items: EncodedRunEvent[]) => items.map(({ seq }) => seq)

test('500 viewers at the same place ask once after each hint, whether there is more or not', async () => {
  const { run, asked, store } = setUp()
  store(2)
  const all = () => Promise.all(Array.from({ length: 500 }, () => run.after(0, 0)))
  expect(new Set((await all()).map((items) => seqs(items).join()))).toEqual(new Set(['1,2']))
  expect(asked.looks).toBe(1)
  await Promise.all(Array.from({ length: 500 }, () => run.after(2, 0)))
  await Promise.all(Array.from({ length: 500 }, () => run.endedAt()))
  expect(asked).toEqual({ looks: 2, ends: 1 })
  store(1)
  run.wake()
  const more = await Promise.all(Array.from({ length: 500 }, () => run.after(2, 0)))
  expect(new Set(more.map((items) => seqs(items).join()))).toEqual(new Set(['3']))
  expect(asked.looks).toBe(3)
})

test('what is remembered is asked of nobody, and an event is in it once', async () => {
  const { run, asked, store } = setUp()
  run.remember(store(3))
  expect(seqs(await run.after(1, 0))).toEqual([2, 3])
  expect(asked.looks).toBe(0)
  run.remember([{ seq: 9, text: 'x' }])
  expect(seqs(await run.after(8, 0))).toEqual([9])
  expect(await run.after(9, 0)).toEqual([])
})

test('an answer from before a hint is not given after it', async () => {
  const { run, store } = setUp()
  expect(await run.after(0, 0)).toEqual([])
  store(1)
  expect(await run.after(0, 0)).toEqual([])
  run.wake()
  expect(seqs(await run.after(0, 0))).toEqual([1])
})

test('what was stored between the last look and the end is still found', async () => {
  const { run, state, store } = setUp()
  expect(await run.after(0, 0)).toEqual([])
  state.beforeEnd = () => void store(1)
  state.ended = true
  const endedAt = await run.endedAt()
  expect(endedAt).not.toBeNull()
  expect(seqs(await run.after(0, endedAt ?? 0))).toEqual([1])
})
