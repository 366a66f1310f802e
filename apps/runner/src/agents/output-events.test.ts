import { encodeRunEvent, RUN_EVENT_BYTES, type RunEventBody } from '@baton/protocol'
import { describe, expect, test } from 'vitest'
import { fitEvent } from './fit-event.ts'
import { outputEvents } from './output-events.ts'
import { clipText, encodedBytes, splitText } from './split-text.ts'

const size = (event: RunEventBody) => Buffer.byteLength(encodeRunEvent(1_800_000_000_000, event))
const textOf = (events: RunEventBody[]) =>
  events.map((event) => ('text' in event ? (event.text ?? '') : '')).join('')
const bytesOf = (events: RunEventBody[]) =>
  Buffer.concat(
    events.map((event) =>
      event.type === 'output'
        ? Buffer.from(event.text ?? event.base64 ?? '', event.text === undefined ? 'base64' : 'utf8')
        : Buffer.alloc(0),
    ),
  )

/** Kinds of text, by how many bytes a character takes when it is encoded. */
const kinds: [string, string][] = [
  ['plain', 'x'],
  ['NUL', '\u0000'],
  ['escape', '\u001b[31m'],
  ['quote and backslash', '"\\'],
  ['line feed', '\n'],
  ['euro', '€'],
  ['emoji', '😀'],
  ['lone surrogate', '\ud800x'],
  ['mixed', 'x'.repeat(9_000) + '\u0000'.repeat(9_000)],
]

describe('a long text', () => {
  test.each(kinds)('of %s comes in pieces that fit and that are large', (_, unit) => {
    const text = unit.repeat(Math.ceil(300_000 / unit.length))
    const events = splitText(text, RUN_EVENT_BYTES - 256).map(
      (piece): RunEventBody => ({ type: 'output', stream: 'stdout', text: piece }),
    )
    expect(textOf(events) === text).toBe(true)
    for (const event of events) expect(size(event)).toBeLessThanOrEqual(RUN_EVENT_BYTES)
    const most = Math.ceil((2 * encodedBytes(text)) / RUN_EVENT_BYTES) + 1
    expect(events.length).toBeLessThanOrEqual(most)
  })

  test.each(kinds.filter(([, unit]) => unit.isWellFormed()))('of %s as raw output fits too', (_, unit) => {
    const text = unit.repeat(Math.ceil(300_000 / unit.length))
    const events = outputEvents('stdout', Buffer.from(text))
    expect(textOf(events) === text).toBe(true)
    for (const event of events.slice(0, -1)) expect(size(event)).toBeGreaterThan(RUN_EVENT_BYTES - 512)
    for (const event of events) expect(size(event)).toBeLessThanOrEqual(RUN_EVENT_BYTES)
  })

  test('is never torn within a pair of surrogates', () => {
    for (const limit of [4, 5, 7, 9]) {
      for (const piece of splitText('😀'.repeat(20), limit)) expect(piece.isWellFormed()).toBe(true)
    }
  })

  test('is shortened to its start and end with the number of bytes between', () => {
    const short = clipText(`${'a'.repeat(1_000)}${'b'.repeat(1_000)}`, 200, 50)
    expect(short).toMatch(/^a{100,}… \[\d+ more bytes\] …b{50}$/)
    expect(encodedBytes(short)).toBeLessThanOrEqual(200)
  })
})

describe('raw output', () => {
  test('that is text is one event, with its control characters', () => {
    const text = 'ok \u001b]0;title\u0007\u0000\r\n'
    expect(outputEvents('stderr', Buffer.from(text))).toEqual([{ type: 'output', stream: 'stderr', text }])
  })

  test('that is not UTF-8 comes as base64, line by line, so that no byte is lost', () => {
    const bytes = Buffer.concat([
      Buffer.from('fine\n'),
      Buffer.from([0xff, 0xfe, 0x0a]),
      Buffer.from('fine again'),
    ])
    const events = outputEvents('stdout', bytes)
    expect(events).toMatchObject([{ text: 'fine\n' }, { base64: '//4K' }, { text: 'fine again' }])
    expect(bytesOf(events)).toEqual(bytes)
  })

  test('of random bytes comes back byte for byte in events that fit', () => {
    const bytes = Buffer.from(
      Array.from({ length: 300_000 }, (_, at) => (at * 7_919 + (at >> 8) * 31) & 0xff),
    )
    const events = outputEvents('stdout', bytes)
    expect(bytesOf(events)).toEqual(bytes)
    for (const event of events) expect(size(event)).toBeLessThanOrEqual(RUN_EVENT_BYTES)
  })
})

describe('an event that is too long', () => {
  const long = '\u0000'.repeat(100_000)
  const events: [string, RunEventBody][] = [
    ['message', { type: 'message', role: 'assistant', text: long }],
    ['thinking', { type: 'thinking', text: long }],
    ['result', { type: 'result', text: long }],
    ['tool output', { type: 'tool_finished', id: 'toolu_1', ok: true, output: long, exitCode: null }],
    [
      'tool input',
      { type: 'tool_started', id: 'toolu_1', name: 'Write', input: { path: 'a', content: long } },
    ],
    [
      'tool input in many parts',
      { type: 'tool_started', id: '1', name: 'X', input: Array(50_000).fill('item') },
    ],
    ['tool name', { type: 'tool_started', id: long, name: long, input: {} }],
    ['refusal', { type: 'permission_denied', tool: long, detail: long }],
    ['session', { type: 'session', sessionId: long, model: long }],
    ['retry', { type: 'retry', attempt: 1, reason: long }],
  ]
  test.each(events)('(%s) becomes events that fit', (_, event) => {
    const fitting = fitEvent(event)
    for (const one of fitting) expect(size(one)).toBeLessThanOrEqual(RUN_EVENT_BYTES)
    expect(fitting[0]?.type).toBe(event.type)
  })

  test('says how many bytes of a tool were left out, and the hash of the whole', () => {
    const [event, cut] = fitEvent({
      type: 'tool_finished',
      id: '1',
      ok: true,
      output: 'y'.repeat(200_000),
      exitCode: 0,
    })
    const kept = event?.type === 'tool_finished' ? event.output : ''
    expect(cut).toMatchObject({ type: 'cut', droppedBytes: 200_000 - Buffer.byteLength(kept) })
    expect(cut).toMatchObject({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/) })
  })

  test('keeps the small parts of a tool input that has one large part', () => {
    const [event] = fitEvent({
      type: 'tool_started',
      id: '1',
      name: 'Write',
      input: { path: 'a.txt', content: long },
    })
    expect(event).toMatchObject({ input: { path: 'a.txt', content: expect.stringContaining('more bytes') } })
  })

  test('is not more than JSON.stringify can write, however deep it is nested', () => {
    const input = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000))
    const [event] = fitEvent({ type: 'tool_started', id: '1', name: 'X', input })
    expect(() => JSON.stringify(event)).not.toThrow()
  })
})
