import type { RunEventBody } from '@baton/protocol'
import { expect, test } from 'vitest'
import { createTextReader } from '../text-reader.ts'
import { createMaskedReader } from './masked-reader.ts'
import { createSecretMask, type SecretMask } from './secret-mask.ts'

const VALUE = 'sk-"quoted"\\ünïcode/+42'
const mask = createSecretMask({ DEPLOY_TOKEN: VALUE, SHORT: 'abc' }) as SecretMask
const EXIT = { exitCode: 0, signal: null, error: null, message: null }
const FACTS = { stopReason: null, changedFiles: null }

/** Everything that the events say on stdout, as bytes. */
const said = (events: RunEventBody[]) =>
  Buffer.concat(
    events.map((event) =>
      event.type !== 'output'
        ? Buffer.alloc(0)
        : event.base64 === undefined
          ? Buffer.from(event.text ?? '')
          : Buffer.from(event.base64, 'base64'),
    ),
  )

test.each([
  ['as it is', VALUE],
  ['in JSON', JSON.stringify({ token: VALUE })],
  ['in a URL', `https://x.test/?t=${encodeURIComponent(VALUE)}`],
  ['in base64', Buffer.from(VALUE).toString('base64')],
  ['in base64 one byte on', Buffer.from(`x${VALUE}yz`).toString('base64')],
  ['in base64 two bytes on', Buffer.from(`xy${VALUE}z`).toString('base64')],
  ['in base64url', Buffer.from(`Bearer ${VALUE}`).toString('base64url')],
  ['in hexadecimal', Buffer.from(VALUE).toString('hex')],
])('a value %s is taken out', (_, text) => {
  const masked = mask.text(`before ${text} after`)
  expect(masked).toContain('***DEPLOY_TOKEN***')
  expect(masked).toMatch(/^before .* after$/)
  expect(masked).not.toContain(VALUE.slice(0, 10))
})

test('what is too short to be a secret stays readable', () => {
  expect(mask.text('abc')).toBe('abc')
  expect(createSecretMask({ SHORT: 'abc' })).toBeNull()
})

test('a value cut at any byte, by chunks or by silence, comes out of no event', () => {
  const line = Buffer.from(`token=${VALUE};\n`)
  for (let cut = 1; cut < line.length; cut++) {
    for (const isSilent of [false, true]) {
      const reader = createMaskedReader(createTextReader(), mask)
      const events = [...reader.read(chunk(line.subarray(0, cut))).events]
      if (isSilent) events.push(...reader.flush().events)
      events.push(...reader.read(chunk(line.subarray(cut))).events)
      const { events: last, end } = reader.end(EXIT, FACTS)
      const whole = said([...events, ...last]).toString()
      expect(whole, `cut at ${cut}`).toBe('token=***DEPLOY_TOKEN***;\n')
      expect(end.result).toBe('token=***DEPLOY_TOKEN***;')
    }
  }
})

test('what is held back lies behind the position, so that the next runner reads it again', () => {
  const reader = createMaskedReader(createTextReader(), mask)
  reader.read(chunk(Buffer.from('one\n')))
  reader.flush()
  const before = reader.position()
  expect(reader.read(chunk(Buffer.from(`two ${VALUE.slice(0, 9)}`))).events).toEqual([])
  reader.flush()
  expect(reader.position()).toEqual(before)
  const again = createMaskedReader(createTextReader(before), mask)
  const events = again.read(chunk(Buffer.from(`two ${VALUE}\n`))).events
  expect(said([...events, ...again.end(EXIT, FACTS).events]).toString()).toBe('two ***DEPLOY_TOKEN***\n')
})

test('most of a value at the very end is taken out although its rest never came', () => {
  const reader = createMaskedReader(createTextReader(), mask)
  const events = reader.read(chunk(Buffer.from(`x ${VALUE.slice(0, 12)}`))).events
  expect(said([...events, ...reader.end(EXIT, FACTS).events]).toString()).toBe('x ***SECRET***')
})

test('a value in bytes that are no text is taken out and the bytes stay what they were', () => {
  const reader = createMaskedReader(createTextReader(), mask)
  const bytes = Buffer.concat([Buffer.from([0xff, 0xfe, 0x00]), Buffer.from(VALUE), Buffer.from([0xff])])
  const events = [...reader.read(chunk(bytes)).events, ...reader.end(EXIT, FACTS).events]
  expect(said(events)).toEqual(
    Buffer.concat([Buffer.from([0xff, 0xfe, 0x00]), Buffer.from('***DEPLOY_TOKEN***'), Buffer.from([0xff])]),
  )
})

function chunk(bytes: Buffer) {
  return { stream: 'stdout' as const, bytes, atMs: 0 }
}
