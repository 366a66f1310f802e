import { encodeRunEvent } from '@baton/protocol'
import { expect, test } from 'vitest'
import { createLogStore, MAX_ROWS, type StoredEvent } from './log-store.ts'

const line = (seq: number): StoredEvent => ({
  seq,
  text: encodeRunEvent(seq, { type: 'output', stream: 'stdout', text: `line ${seq}\n` }),
})
const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => line(from + index))
const atOnce = (flush: () => void) => flush()

test('what comes twice is shown once', () => {
  const store = createLogStore(atOnce)
  store.append(lines(1, 5))
  store.append(lines(3, 7))
  expect(store.current().rows.map((row) => row.seq)).toEqual([1, 2, 3, 4, 5, 6, 7])
})

test('after a gap nothing is added and the missing number is named', () => {
  const store = createLogStore(atOnce)
  store.append(lines(1, 3))
  expect(store.append(lines(6, 8))).toBe(4)
  expect(store.current().lastSeq).toBe(3)
})

test('older events go before the loaded ones, and overlapping ones are passed over', () => {
  const store = createLogStore(atOnce)
  store.append(lines(10, 12))
  store.prepend(lines(7, 11))
  expect(store.current().rows.map((row) => row.seq)).toEqual([7, 8, 9, 10, 11, 12])
  expect(store.current().firstSeq).toBe(7)
})

test('a log that grows for ever holds a bounded part: its newest', () => {
  const store = createLogStore(atOnce)
  store.append(lines(1, MAX_ROWS + 1))
  const { rows, firstSeq, lastSeq } = store.current()
  expect(rows.length).toBeLessThanOrEqual(MAX_ROWS)
  expect(lastSeq).toBe(MAX_ROWS + 1)
  expect(firstSeq).toBe(MAX_ROWS + 1 - rows.length + 1)
})

test('an event of a type that this page does not know is shown as its text', () => {
  const store = createLogStore(atOnce)
  store.append([{ seq: 1, text: '{"at":5,"type":"from_the_future","x":1}' }])
  expect(store.current().rows[0]).toMatchObject({
    kind: 'note',
    event: { type: 'unknown', text: '{"at":5,"type":"from_the_future","x":1}' },
  })
})
