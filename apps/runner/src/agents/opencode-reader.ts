import { createJsonLinesReader } from './json-lines-reader.ts'
import { readOpencodeEvent } from './opencode-events.ts'
import { readOpencodeLog } from './opencode-log.ts'
import { giveUp, opencodeVerdict } from './opencode-outcome.ts'
import { OPENCODE_START, type OpencodeState } from './opencode-state.ts'
import type { ReaderPosition, RunReader } from './runtime.ts'
import { storableText } from './split-text.ts'

export type OpencodeReaderOptions = { model: string | null; expectsChanges: boolean }

/** Reads what `opencode run --format json` prints, and the errors in its log. */
export function createOpencodeReader(options: OpencodeReaderOptions, from?: ReaderPosition): RunReader {
  const reader = createJsonLinesReader<OpencodeState>(
    {
      start: OPENCODE_START,
      readEvent: (event, state, atMs) => readOpencodeEvent(event, state, options, atMs),
      readError(text, state, atMs) {
        const { refused, events, isFinal } = readOpencodeLog(text, state.refused, atMs)
        state.refused = refused
        if (isFinal) giveUp(state)
        return { events, ...(isFinal && { ended: true }) }
      },
      end(state, exit, facts) {
        const verdict = opencodeVerdict(state, exit, facts, options.expectsChanges)
        const { sessionId, usage } = state
        return {
          ...verdict,
          result: state.error === null && state.answer !== '' ? storableText(state.answer) : null,
          usage,
          sessionId,
          quotaUntil: verdict.errorKind === 'quota' ? state.quotaUntil : null,
        }
      },
    },
    from,
  )
  return { ...reader, usageSoFar: () => reader.state.usage }
}
