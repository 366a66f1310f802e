import type { RunEventBody } from '@baton/protocol'
import { denyCodexTool } from './codex-items.ts'
import type { CodexState } from './codex-state.ts'
import { lastWords } from './last-words.ts'
import { clipText } from './split-text.ts'

/**
 * What Codex is told to log beside its errors: facts about its own work, without any content. They say what its events
 * leave out: what the sandbox refused, which HTTP status a request got, and the tokens of each.
 */
export const CODEX_LOG = 'error,codex_otel.trace_safe=info'

/** The events of a piece of stderr: its log of facts becomes what they mean, and the rest stays raw output. */
export function readCodexStderr(text: string, state: CodexState): RunEventBody[] {
  const events: RunEventBody[] = []
  let rest = ''
  for (const line of text.split(/(?<=\n)/)) {
    const [, name = '', fields = ''] = TRACE.exec(line) ?? []
    if (name === '') {
      rest += line
      events.push(...readSandboxWarning(line, state), ...readRefusal(line, state))
    } else if (Object.hasOwn(facts, name)) events.push(...(facts[name]?.(fields, state) ?? []))
  }
  if (rest === '') return events
  state.words = lastWords(state.words, rest)
  return [{ type: 'output', stream: 'stderr', text: rest }, ...events]
}

const TRACE = /codex_otel\.trace_safe: event\.name="codex\.([\w.]+)"(.*)/

const facts: Record<string, (fields: string, state: CodexState) => RunEventBody[]> = {
  sandbox_outcome(fields, state) {
    if (fieldOf(fields, 'outcome') !== 'denied') return []
    const tool = fieldOf(fields, 'tool_name') === 'apply_patch' ? 'apply_patch' : 'shell'
    return denyCodexTool(state, tool, 'The sandbox refused it. Codex does not say what it was.')
  },
  api_request(fields, state) {
    const status = Number(fieldOf(fields, 'http.response.status_code'))
    state.httpStatus = status >= 400 ? status : null
    return []
  },
  sse_event(fields, state) {
    if (fieldOf(fields, 'event.kind') !== 'response.completed') return []
    state.live = {
      input: state.live.input + countIn(fields, 'input_token_count'),
      cached: state.live.cached + countIn(fields, 'cached_token_count'),
      output: state.live.output + countIn(fields, 'output_token_count'),
    }
    return []
  },
}

function fieldOf(fields: string, name: string): string | null {
  const start = fields.indexOf(` ${name}=`)
  if (start < 0) return null
  return /^"?([^"\s]*)/.exec(fields.slice(start + name.length + 2))?.[1] ?? null
}

function countIn(fields: string, name: string): number {
  const count = Number(fieldOf(fields, name))
  return Number.isSafeInteger(count) && count > 0 ? count : 0
}

/** Without its helpers the sandbox starts no command, and the run still ends well. */
function readSandboxWarning(line: string, state: CodexState): RunEventBody[] {
  const found = /could not create PATH aliases: (.*)/.exec(line)?.[1]
  if (found === undefined) return []
  state.brokenSandbox = clipText(found, WARNING_BYTES)
  return [{ type: 'warning', text: `Codex's sandbox may start no command: ${state.brokenSandbox}` }]
}

const WARNING_BYTES = 1_024

/** A patch that is refused before it is tried is neither an item nor an outcome of the sandbox, only an error. */
function readRefusal(line: string, state: CodexState): RunEventBody[] {
  const words = /ERROR codex_core::tools::router: error=(.*(?:rejected|approval).*)/.exec(line)?.[1]
  if (words === undefined) return []
  return denyCodexTool(state, words.startsWith('patch') ? 'apply_patch' : 'shell', words)
}
