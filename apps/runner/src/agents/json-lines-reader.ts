import type { RunEventBody } from '@baton/protocol'
import { fitEvent } from './fit-event.ts'
import type { Fields } from './json-fields.ts'
import { BRACE, readJsonLines } from './json-lines.ts'
import { lastWords } from './last-words.ts'
import { createLineSplitter, type Piece } from './lines.ts'
import { outputEvents } from './output-events.ts'
import { createRawStream } from './raw-stream.ts'
import type { Exit, JsonValue, ReaderPosition, ReadSteps, RunEnd, RunFacts, RunReader } from './runtime.ts'

/** What every reader of JSON lines keeps. All of a state is plain JSON, so that another runner can go on from it. */
export type LinesState = {
  lastWords: string
  /** Whether the read position of stdout lies within a line that was passed on raw. */
  midLine: boolean
}
export const LINES_START: LinesState = { lastWords: '', midLine: false }

export type LinesAgent<S extends LinesState> = {
  /** The state at the start of a run. */
  start: S
  /** What one line means; null for one that is not known and so comes as raw output. */
  readEvent(event: Fields, state: S, atMs: number): ReadSteps | null
  /** What a piece of stderr means besides: the raw output is told anyway. */
  readError?(text: string, state: S, atMs: number): ReadSteps
  /** What is to be said again when another runner takes the run over, or after a quiet moment. */
  flush?(state: S, isRestored: boolean): ReadSteps
  /** Events that were held back for more of the same, as the pieces of a message. */
  held?(state: S): RunEventBody[]
  end(state: S, exit: Exit, facts: RunFacts): RunEnd
}

/**
 * Reads an agent that prints one JSON object a line. Lines that are none, stderr, and lines longer than LINE_BYTES come as
 * raw output. Made from a position, it gives the events that the first reader would have given.
 */
export function createJsonLinesReader<S extends LinesState>(
  agent: LinesAgent<S>,
  from?: ReaderPosition,
): RunReader & { state: S } {
  const state: S = structuredClone({ ...agent.start, ...(from?.state as Partial<S> | undefined) })
  const stdout = createLineSplitter({ offset: from?.committed.stdout ?? 0, midLine: state.midLine })
  let atMs = 0
  let said: ReadSteps[] = []
  const stderr = createRawStream('stderr', from?.committed.stderr ?? 0, (text) => {
    state.lastWords = lastWords(state.lastWords, text)
    said.push(agent.readError?.(text, state, atMs) ?? { events: [] })
  })
  let isRestored = from !== undefined

  const readError = (events: RunEventBody[]): ReadSteps => {
    const all = joinSteps([{ events }, ...said])
    said = []
    return all
  }
  const readPiece = (piece: Piece): Iterable<ReadSteps> =>
    piece.kind === 'part'
      ? [{ events: outputEvents('stdout', piece.bytes) }]
      : readJsonLines(piece.bytes, (event) => agent.readEvent(event, state, atMs))
  const readPieces = (pieces: Piece[]): ReadSteps =>
    joinSteps(pieces.flatMap((piece) => [...readPiece(piece)]))

  return {
    state,
    read(chunk) {
      atMs = chunk.atMs
      if (chunk.stream === 'stderr') return readError(stderr.read(chunk.bytes))
      return readPieces(stdout.push(chunk.bytes))
    },
    flush() {
      const steps = readPieces(stdout.heldStart() === BRACE ? [] : stdout.flush())
      const again = agent.flush?.(state, isRestored) ?? { events: [] }
      isRestored = false
      return joinSteps([again, steps, readError(stderr.flush())])
    },
    position: () => ({
      committed: { stdout: stdout.offset(), stderr: stderr.offset() },
      state: toJson({ ...state, midLine: stdout.midLine() }),
    }),
    end(exit, facts) {
      const steps = [readPieces(stdout.end()), readError(stderr.end()), { events: agent.held?.(state) ?? [] }]
      const end = agent.end(state, exit, facts)
      const last: RunEventBody[] = end.usage === null ? [] : [{ type: 'usage', usage: end.usage }]
      if (end.result !== null) last.push({ type: 'result', text: end.result })
      return { events: joinSteps([...steps, { events: last }]).events, end }
    },
  }
}

/** The steps of many lines as one: events that fit, and what is asked of the runner, in order. */
export function joinSteps(all: readonly ReadSteps[]): ReadSteps {
  const joined: ReadSteps = { events: all.flatMap((steps) => steps.events.flatMap(fitEvent)) }
  const stdin = all.map((steps) => steps.stdin ?? '').join('')
  const asks = all.flatMap((steps) => steps.asks ?? [])
  const withdrawn = all.flatMap((steps) => steps.withdrawn ?? [])
  if (stdin !== '') joined.stdin = stdin
  if (all.some((steps) => steps.closeStdin)) joined.closeStdin = true
  if (all.some((steps) => steps.ended)) joined.ended = true
  if (asks.length > 0) joined.asks = asks
  if (withdrawn.length > 0) joined.withdrawn = withdrawn
  return joined
}

/** A copy that later reading does not change. */
function toJson(state: LinesState): JsonValue {
  return JSON.parse(JSON.stringify(state)) as JsonValue
}
