import type { PermissionMode, RunEventBody, Usage } from '@baton/protocol'
import { readCodexEvent } from './codex-events.ts'
import { codexVerdict } from './codex-outcome.ts'
import { codexSessionId, markOf, NO_TOTALS, parseCodexSession, type ThreadTotals } from './codex-session.ts'
import { CODEX_START, type CodexState } from './codex-state.ts'
import { readCodexStderr } from './codex-trace.ts'
import { createJsonLinesReader } from './json-lines-reader.ts'
import type { ReaderPosition, RunReader } from './runtime.ts'
import { storableText } from './split-text.ts'

export type CodexReaderOptions = {
  permissionMode: PermissionMode
  model: string | null
  /** The session that the run goes on with. */
  sessionId: string | null
  instructions: string
}

/** Reads what `codex exec --json` prints. */
export function createCodexReader(options: CodexReaderOptions, from?: ReaderPosition): RunReader {
  const earlier = options.sessionId === null ? null : parseCodexSession(options.sessionId)
  const reader = createJsonLinesReader<CodexState>(
    {
      start: {
        ...CODEX_START,
        before: earlier?.before ?? NO_TOTALS,
        told: markOf(options.instructions),
      },
      readEvent: (event, state, atMs) => readCodexEvent(event, state, options, atMs),
      end(state, exit, facts) {
        const verdict = codexVerdict(state, exit, facts, options.permissionMode !== 'read_only')
        const { threadId } = state
        return {
          ...verdict,
          result: state.turn === 'completed' && state.answer !== null ? storableText(state.answer) : null,
          usage: usageOf(state, options.model),
          sessionId: threadId === null ? null : codexSessionId(threadId, totalsOf(state), state.told),
          quotaUntil: verdict.errorKind === 'quota' ? state.quotaUntil : null,
        }
      },
    },
    from,
  )
  const readRaw = (events: RunEventBody[]): RunEventBody[] =>
    events.flatMap((event) =>
      event.type === 'output' && event.stream === 'stderr' && event.text !== undefined
        ? readCodexStderr(event.text, reader.state)
        : [event],
    )
  return {
    ...reader,
    read: (chunk) => ({ events: readRaw(reader.read(chunk).events) }),
    flush: () => ({ events: readRaw(reader.flush().events) }),
    end(exit, facts) {
      // The last words of stderr are read before the verdict that may need them.
      const unended = readRaw(reader.flush().events)
      const { events, end } = reader.end(exit, facts)
      return { events: [...unended, ...readRaw(events)], end }
    },
    usageSoFar: () => usageOf(reader.state, options.model),
  }
}

/** What the thread has used. Before it says so, it is what its requests said. */
function totalsOf({ totals, before, live }: CodexState): ThreadTotals {
  if (totals !== null) return totals
  return {
    input: before.input + live.input,
    cached: before.cached + live.cached,
    output: before.output + live.output,
  }
}

/** What this run used: the thread's totals without those of its earlier runs. Codex knows no money. */
function usageOf(state: CodexState, model: string | null): Usage | null {
  const totals = totalsOf(state)
  const { before } = state
  const usage = {
    inputTokens: Math.max(0, totals.input - before.input),
    outputTokens: Math.max(0, totals.output - before.output),
    cachedTokens: Math.max(0, totals.cached - before.cached),
  }
  const isKnown = state.totals !== null || usage.inputTokens + usage.outputTokens > 0
  return isKnown ? { ...usage, costUsd: null, model } : null
}
