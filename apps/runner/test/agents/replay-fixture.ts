import { readdirSync, readFileSync } from 'node:fs'
import { decodeRunEvent, encodeRunEvent, RUN_EVENT_BYTES, type RunEventBody } from '@baton/protocol'
import { describe, expect, test } from 'vitest'
import type { Exit, ReaderPosition, RunEnd, RunFacts, RunReader } from '../../src/agents/runtime.ts'

const fixtures = new URL('../../../../packages/testkit/src/model/fixtures/', import.meta.url)

type Index = Record<string, { exit: { code: number | null; signal: string | null }; stderr: string }>
export type Recorded = { stdout: Buffer; stderr: Buffer; exit: Exit }
export type Replayed = {
  events: RunEventBody[]
  end: RunEnd
  /** All that the reader wrote to the stdin of the CLI, and how often it closed that. */
  stdin: string
  closes: number
  committed: { stdout: number; stderr: number }
}
export type ReplayOptions = { chunk?: number; restart?: boolean; facts?: RunFacts; atMs?: number }

export const quiet: RunFacts = { stopReason: null, changedFiles: null }

/** What a run that writes a file and says so shows, in this order, whichever CLI it is. */
export const WRITE_FILE_TYPES = [
  'session',
  'consumed',
  'message',
  'tool_started',
  'tool_finished',
  'message',
  'usage',
  'result',
]

type Fixtures = ReturnType<typeof openFixtures>

/** Real runs of a real CLI, recorded with the stand-in model, to be read by `createReader` again. */
export function openFixtures(
  folder: string,
  createReader: (name: string, from?: ReaderPosition) => RunReader,
) {
  const place = new URL(`${folder}/`, fixtures)
  const index = JSON.parse(readFileSync(new URL('index.json', place), 'utf8')) as Index
  const files = readdirSync(place)

  function recorded(name: string): Recorded {
    const entry = index[name]
    if (!entry) throw new Error(`There is no recorded run ${name}.`)
    const file = `${name}.jsonl`
    return {
      stdout: files.includes(file) ? readFileSync(new URL(file, place)) : Buffer.alloc(0),
      stderr: Buffer.from(entry.stderr),
      exit: { exitCode: entry.exit.code, signal: entry.exit.signal, error: null, message: null },
    }
  }

  /** Reads a run in chunks of some size, stderr before stdout, from a new reader after every chunk if asked to. */
  function replay(
    name: string,
    { chunk = 65_536, restart = false, facts = quiet, atMs = 0 }: ReplayOptions = {},
  ): Replayed {
    const { exit, ...streams } = recorded(name)
    let reader = createReader(name)
    const events: RunEventBody[] = []
    let stdin = ''
    let closes = 0
    for (const stream of ['stderr', 'stdout'] as const) {
      const all = streams[stream]
      for (let at = 0; at < all.length; at += chunk) {
        const read = restart ? reader.position().committed[stream] : at
        if (restart) reader = createReader(name, JSON.parse(JSON.stringify(reader.position())))
        const steps = reader.read({ stream, bytes: all.subarray(read, at + chunk), atMs })
        events.push(...steps.events)
        stdin += steps.stdin ?? ''
        if (steps.closeStdin) closes += 1
      }
    }
    const { events: last, end } = reader.end(exit, facts)
    return { events: [...events, ...last], end, stdin, closes, committed: reader.position().committed }
  }

  /** The types of what a run shows, without raw output, which comes in any number of pieces. */
  const typesOf = (name: string) =>
    replay(name).events.flatMap(({ type }) => (type === 'output' ? [] : [type]))

  return { names: Object.keys(index), recorded, replay, typesOf }
}

/** What must hold for every recorded run of every CLI. */
export function describeFixtures({ names, recorded, replay }: Fixtures) {
  describe('every recorded run', () => {
    test.each(names)('%s means the same in whole, in pieces, and read by a new reader after each', (name) => {
      const whole = replay(name)
      for (const chunk of [1, 97, 1_000]) {
        const { events, end } = replay(name, { chunk, restart: chunk > 1 })
        expect({ events: joined(events), end }).toEqual({ events: joined(whole.events), end: whole.end })
      }
    })

    test.each(names)('%s is wholly committed, without raw output of what is understood', (name) => {
      const { events, committed } = replay(name)
      const { stdout, stderr } = recorded(name)
      expect(committed).toEqual({ stdout: stdout.length, stderr: stderr.length })
      for (const event of events) {
        const text = encodeRunEvent(1_700_000_000_000, event)
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(RUN_EVENT_BYTES)
        expect(decodeRunEvent(1, text)).toMatchObject(event)
      }
      expect(events.filter((event) => event.type === 'output' && event.stream === 'stdout')).toEqual([])
    })
  })
}

/** How recorded runs end: names of runs by `state, outcome` or `state, outcome, error kind`. */
export function testEnds({ replay }: Fixtures, ends: Record<string, string[]>) {
  const rows = Object.entries(ends).flatMap(([end, names]) => names.map((name) => [name, end] as const))
  test.each(rows)('of %s is %s', (name, expected) => {
    const [state, outcome, errorKind = null] = expected.split(', ')
    expect(replay(name).end).toMatchObject({ state, outcome, errorKind })
  })
}

/** These runs exit with 0 and are not done: a CLI's exit code says nothing of the work. */
export function expectNotDoneByExitCode({ recorded, replay }: Fixtures, names: string[]) {
  for (const name of names) {
    expect(recorded(name).exit.exitCode).toBe(0)
    expect(replay(name).end.outcome).not.toBe('done')
  }
}

/** Raw output comes in other pieces when it is read in other pieces: it is all that came, in one. */
function joined(events: RunEventBody[]): RunEventBody[] {
  const text = events.map((event) => (event.type === 'output' ? (event.text ?? '') : '')).join('')
  const rest = events.filter((event) => event.type !== 'output')
  return [{ type: 'output', stream: 'stderr', text }, ...rest]
}
