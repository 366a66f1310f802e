import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeRecord, encodeRecord } from './record-framing.ts'

test('a record comes back as it was, whatever follows it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.uint8Array(), (value, rest) => {
      const frame = encodeRecord(value)
      const decoded = decodeRecord(Buffer.concat([frame, rest]))
      expect(decoded).toEqual({ value: JSON.parse(JSON.stringify(value)), bytes: frame.length })
    }),
  )
})

test('a record that is not all there says how many bytes it has', () => {
  const frame = encodeRecord({ text: 'ü'.repeat(100) })
  for (let length = 0; length < frame.length; length++) {
    expect(decodeRecord(frame.subarray(0, length))).toEqual({ needs: length < 8 ? 8 : frame.length })
  }
})

test('a record with any bit flipped is never taken for a whole one', () => {
  const frame = encodeRecord({ kind: 'started', runId: 'run_1' })
  for (let bit = 0; bit < frame.length * 8; bit++) {
    const flipped = Buffer.from(frame)
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
    expect(decodeRecord(flipped)).not.toHaveProperty('value')
  }
})

test('without the checksum, the mutant, a flipped bit makes a wrong record', () => {
  const frame = encodeRecord({ kind: 'started', runId: 'run_1' })
  frame[frame.indexOf('1')] = '3'.charCodeAt(0)
  expect(JSON.parse(frame.toString('utf8', 8))).toEqual({ kind: 'started', runId: 'run_3' })
  expect(decodeRecord(frame)).toBe('corrupt')
})

test('zeros, as a power cut leaves them, are no record', () => {
  expect(decodeRecord(Buffer.alloc(4096))).toBe('corrupt')
})
