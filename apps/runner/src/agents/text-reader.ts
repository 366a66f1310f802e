import { fitEvent } from './fit-event.ts'
import { lastWords } from './last-words.ts'
import { createRawStream } from './raw-stream.ts'
import {
  couldNotRun,
  endedBySignal,
  failed,
  STOPPED,
  succeeded,
  type Verdict,
  withLastWords,
} from './run-ends.ts'
import type { Exit, ReaderPosition, RunFacts, RunReader } from './runtime.ts'
import { storableText } from './split-text.ts'

/** How much of the end of stdout becomes the result. It is written with every position, so it is small. */
const RESULT_CHARACTERS = 4_096

type TextState = { tail: string; lastWords: string }

/** Reads a program that prints plain text. Its result is the end of its stdout, its outcome comes from its exit code. */
export function createTextReader(from?: ReaderPosition): RunReader {
  const state: TextState = { tail: '', lastWords: '', ...(from?.state as Partial<TextState> | undefined) }
  const streams = {
    stdout: createRawStream('stdout', from?.committed.stdout ?? 0, (text) => {
      state.tail = (state.tail + text).slice(-RESULT_CHARACTERS)
    }),
    stderr: createRawStream('stderr', from?.committed.stderr ?? 0, (text) => {
      state.lastWords = lastWords(state.lastWords, text)
    }),
  }
  return {
    read: (chunk) => ({ events: streams[chunk.stream].read(chunk.bytes) }),
    flush: () => ({ events: [...streams.stdout.flush(), ...streams.stderr.flush()] }),
    position: () => ({
      committed: { stdout: streams.stdout.offset(), stderr: streams.stderr.offset() },
      state: { ...state },
    }),
    end(exit, facts) {
      const events = [...streams.stdout.end(), ...streams.stderr.end()]
      const result = resultOf(state.tail)
      if (result !== null) events.push(...fitEvent({ type: 'result', text: result }))
      return {
        events,
        end: { ...textVerdict(exit, facts, state.lastWords), result, usage: null, sessionId: null },
      }
    },
  }
}

function textVerdict(exit: Exit, facts: RunFacts, words: string): Verdict {
  if (facts.stopReason !== null) return STOPPED[facts.stopReason]
  const early = couldNotRun(exit) ?? endedBySignal(exit, words)
  if (early !== null) return early
  if (exit.exitCode === 0) return succeeded()
  return failed('crashed', withLastWords(`It exited with code ${exit.exitCode}`, words))
}

/** The text after the last cut line, without blank ends; null when there is none. */
function resultOf(tail: string): string | null {
  const start = tail.length < RESULT_CHARACTERS ? 0 : tail.indexOf('\n') + 1
  const text = storableText(tail.slice(start).trim())
  return text === '' ? null : text
}
