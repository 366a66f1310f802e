import type { RunEventBody } from '@baton/protocol'
import { answerAsk, interruptClaude, openAsks, steerClaude } from './claude-control.ts'
import { readClaudeEvent } from './claude-events.ts'
import { claudeVerdict } from './claude-outcome.ts'
import { restoreClaudeState } from './claude-state.ts'
import { usageSoFar } from './claude-usage.ts'
import { fitEvent } from './fit-event.ts'
import { BRACE, readJsonLines } from './json-lines.ts'
import { lastWords } from './last-words.ts'
import { createLineSplitter, type Piece } from './lines.ts'
import { outputEvents } from './output-events.ts'
import { createRawStream } from './raw-stream.ts'
import type {
  JsonValue,
  PermissionAnswer,
  PermissionAsk,
  ReaderPosition,
  ReadSteps,
  RunReader,
  SteerMessage,
} from './runtime.ts'

export type ClaudeReaderOptions = {
  /** The agent's stdin is open for answers. Without it nothing is ever asked of the runner. */
  twoWay: boolean
  /** A person is asked about what its permission mode does not cover; else it is refused. Only with `twoWay`. */
  mayAsk?: boolean
  /** Whether a run that changed no file is worth telling. */
  expectsChanges: boolean
}

/**
 * Reads the stream-json of Claude Code, or of any program that prints the same. Lines that are no JSON, stderr, and
 * lines longer than LINE_BYTES come as raw output.
 */
export function createClaudeReader(options: ClaudeReaderOptions, from?: ReaderPosition): RunReader {
  const state = restoreClaudeState(from?.state)
  const stdout = createLineSplitter({ offset: from?.committed.stdout ?? 0, midLine: state.midLine })
  const stderr = createRawStream('stderr', from?.committed.stderr ?? 0, (text) => {
    state.lastWords = lastWords(state.lastWords, text)
  })
  if (options.mayAsk !== undefined) state.mayAsk = options.mayAsk
  let restored = from !== undefined

  /** Puts the steps of many lines together; `owed` is what was asked of the runner since the agent last said something. */
  const gather = (all: Iterable<ReadSteps>): ReadSteps => {
    const events: RunEventBody[] = []
    let stdin = ''
    let closeStdin = false
    const asks: PermissionAsk[] = []
    const withdrawn: string[] = []
    for (const steps of all) {
      for (const event of steps.events) events.push(...fitEvent(event))
      stdin += steps.stdin ?? ''
      closeStdin ||= steps.closeStdin ?? false
      asks.push(...(steps.asks ?? []))
      withdrawn.push(...(steps.withdrawn ?? []))
    }
    if (!options.twoWay) return { events }
    const asked = { ...(stdin !== '' && { stdin }), ...(closeStdin && { closeStdin }) }
    if (stdin !== '' || closeStdin)
      state.owed = { ...asked, ...(stdin !== '' && { stdin: (state.owed?.stdin ?? '') + stdin }) }
    return {
      events,
      ...asked,
      ...(asks.length > 0 && { asks }),
      ...(withdrawn.length > 0 && { withdrawn }),
    }
  }
  const readPiece = (piece: Piece): Iterable<ReadSteps> => {
    if (piece.kind === 'part') return [{ events: outputEvents('stdout', piece.bytes) }]
    return readJsonLines(piece.bytes, (event) => {
      // Whatever it says after an answer shows that the answer arrived.
      if (state.owed?.closeStdin !== true) state.owed = null
      const steps = readClaudeEvent(event, state)
      return steps ?? (options.twoWay ? { events: [] } : null)
    })
  }
  const readPieces = (pieces: Piece[]) => gather(pieces.flatMap((piece) => [...readPiece(piece)]))

  return {
    read(chunk) {
      if (chunk.stream === 'stderr') return { events: stderr.read(chunk.bytes) }
      return readPieces(stdout.push(chunk.bytes))
    },
    flush() {
      const text = stdout.heldStart() === BRACE ? [] : stdout.flush()
      const steps = readPieces(text)
      const isFirst = restored && options.twoWay
      const asks = isFirst ? openAsks(state) : []
      const again = isFirst ? { ...state.owed, ...(asks.length > 0 && { asks }) } : {}
      restored = false
      return { ...again, ...steps, events: [...steps.events, ...stderr.flush()] }
    },
    ...(options.twoWay && {
      answer: (ask: string, answer: PermissionAnswer) => gather([answerAsk(ask, answer, state)]),
      // Said twice would be heard twice, so these are not repeated by a successor.
      steer: (message: SteerMessage) => steerClaude(message, state),
      interrupt: () => interruptClaude(state),
    }),
    usageSoFar: () => usageSoFar(state.usage, state.calls, state.model),
    position: () => ({
      committed: { stdout: stdout.offset(), stderr: stderr.offset() },
      state: structuredClone({ ...state, midLine: stdout.midLine() }) as JsonValue,
    }),
    end(exit, facts) {
      const events = [...readPieces(stdout.end()).events, ...stderr.end()]
      for (const { id, text, by } of state.steers.splice(0))
        events.push({ type: 'steer', id, text, by, state: 'indeterminate' })
      const result = state.result?.text ?? null
      if (result !== null) events.push(...fitEvent({ type: 'result', text: result }))
      const { sessionId, quotaResetsAt } = state
      // An agent that was ended says no sum; what went into its calls counts all the same.
      const usage = usageSoFar(state.usage, state.calls, state.model)
      const verdict = claudeVerdict(state, exit, facts, options.expectsChanges)
      const quotaUntil = verdict.errorKind === 'quota' && quotaResetsAt ? quotaResetsAt * 1_000 : null
      return { events, end: { ...verdict, result, usage, sessionId, quotaUntil } }
    },
  }
}
