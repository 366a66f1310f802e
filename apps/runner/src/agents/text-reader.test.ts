import type { RunEventBody } from '@baton/protocol'
import { describe, expect, test } from 'vitest'
import type { Exit, ReaderPosition, RunFacts } from './runtime.ts'
import { createTextReader } from './text-reader.ts'

const exited = (exitCode: number | null, signal: string | null = null): Exit => ({
  exitCode,
  signal,
  error: null,
  message: null,
})
const quiet: RunFacts = { stopReason: null, changedFiles: 0 }
const out = (text: string) => ({ stream: 'stdout' as const, bytes: Buffer.from(text), atMs: 0 })
const err = (text: string) => ({ stream: 'stderr' as const, bytes: Buffer.from(text), atMs: 0 })
const joined = (events: RunEventBody[]) =>
  events.map((event) => (event.type === 'output' ? event.text : '')).join('')

describe('a reader of plain text', () => {
  test('makes one event of all the lines that arrive together', () => {
    const reader = createTextReader()
    expect(reader.read(out('one\ntwo\nthr')).events).toEqual([
      { type: 'output', stream: 'stdout', text: 'one\ntwo\n' },
    ])
    expect(reader.position().committed).toEqual({ stdout: 8, stderr: 0 })
    expect(reader.flush().events).toEqual([{ type: 'output', stream: 'stdout', text: 'thr' }])
    expect(reader.position().committed).toEqual({ stdout: 11, stderr: 0 })
  })

  test('passes on a line of 100 MB without holding it', () => {
    const reader = createTextReader()
    const chunk = 'x'.repeat(1024 * 1024)
    let length = 0
    for (let count = 0; count < 100; count++) {
      for (const event of reader.read(out(chunk)).events) length += joined([event]).length
      expect((count + 1) * chunk.length - reader.position().committed.stdout).toBeLessThan(64 * 1024)
    }
    expect(length).toBe(100 * chunk.length)
  })

  test('taken over anywhere loses and repeats no byte', () => {
    const text = 'first €\nsecond line\nthe third, unended 😀'
    const bytes = Buffer.from(text)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const first = createTextReader()
      const events = first.read({ stream: 'stdout', bytes: bytes.subarray(0, cut), atMs: 0 }).events
      events.push(...first.flush().events)
      const position = JSON.parse(JSON.stringify(first.position())) as ReaderPosition
      const second = createTextReader(position)
      const rest = bytes.subarray(position.committed.stdout)
      events.push(...second.read({ stream: 'stdout', bytes: rest, atMs: 0 }).events)
      const { events: last, end } = second.end(exited(0), quiet)
      expect(joined([...events, ...last])).toBe(text)
      expect(end.result).toBe(text)
    }
  })

  test('takes the end of stdout for the result, from a whole line on', () => {
    const reader = createTextReader()
    reader.read(out('a line of the log\n'.repeat(1_000)))
    reader.read(err('not this\n'))
    reader.read(out('All good.\n\n'))
    const { events, end } = reader.end(exited(0), quiet)
    expect(end.result).toMatch(/^a line of the log\n.*All good\.$/s)
    expect(end.result?.length).toBeLessThanOrEqual(4_096)
    expect(events.at(-1)).toEqual({ type: 'result', text: end.result })
  })

  test('judges by the exit code, and says the last line of stderr', () => {
    const reader = createTextReader()
    reader.read(err('make: *** [all] Error 2\n'))
    expect(reader.end(exited(2), quiet).end).toMatchObject({
      state: 'failed',
      errorKind: 'crashed',
      message: 'It exited with code 2: make: *** [all] Error 2',
    })
    expect(createTextReader().end(exited(0), quiet).end).toMatchObject({
      state: 'succeeded',
      outcome: 'done',
    })
    expect(createTextReader().end(exited(0), { ...quiet, stopReason: 'cancelled' }).end.state).toBe(
      'cancelled',
    )
    expect(createTextReader().end(exited(null, 'SIGKILL'), quiet).end.errorKind).toBe('killed')
  })
})
