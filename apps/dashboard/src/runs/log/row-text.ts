import { plural } from '../../elements/format.ts'
import { plainText } from './ansi.ts'
import type { LogRow } from './rows.ts'

/** The text of a row as it is searched: what a person could read in it when it is unfolded. */
export function rowText(row: LogRow): string {
  switch (row.kind) {
    case 'line':
      return plainText(row.text)
    case 'message':
    case 'thinking':
      return row.text
    case 'tool':
      return [row.start?.name, inputText(row.start?.input), plainText(row.finish?.output ?? '')].join('\n')
    case 'note':
      return noteText(row.event)
  }
}

/** A tool's input as a person reads it: text as it is, anything else as indented JSON. */
export function inputText(input: unknown): string {
  if (input === undefined || input === null) return ''
  return typeof input === 'string' ? input : JSON.stringify(input, null, 2)
}

/** A tool's input in one line: the value that says most about it. */
export function inputSummary(input: unknown): string {
  if (typeof input !== 'object' || input === null) return inputText(input)
  const fields = input as Record<string, unknown>
  const first = ['command', 'file_path', 'path', 'pattern', 'url', 'query', 'description', 'prompt'].find(
    (name) => typeof fields[name] === 'string',
  )
  return first ? (fields[first] as string) : JSON.stringify(input)
}

type NoteEvent = Extract<LogRow, { kind: 'note' }>['event']

const PLAN_MARKS = { pending: '○', in_progress: '◔', completed: '✓' } as const

/** One sentence for an event that is neither output nor speech. */
export function noteText(event: NoteEvent): string {
  switch (event.type) {
    case 'started':
      return `Started ${[event.command.join(' ') || event.runtime, event.version].filter(Boolean).join(' ')} in ${event.workspace}`
    case 'session':
      return `Session ${event.sessionId}${event.model ? ` with ${event.model}` : ''}`
    case 'consumed':
      return 'The agent has read the prompt'
    case 'permission_denied':
      return `Permission denied for ${event.tool}: ${event.detail}`
    case 'retry':
      return `Try ${event.attempt} after ${event.reason}`
    case 'warning':
      return event.text
    case 'usage':
      return `${event.usage.inputTokens} tokens in, ${event.usage.outputTokens} out`
    case 'cut':
      return `${event.droppedBytes} bytes of ${event.stream === 'both' ? 'output' : event.stream} left out: ${event.why} (sha256 ${event.sha256})`
    case 'adopted':
      return `The runner was restarted and took this run over: ${event.why}`
    case 'killed':
      return `Ended by force: ${event.reason}`
    case 'approval_asked':
      return `Asks to use ${event.tool}: ${event.summary}`
    case 'approval_answered':
      return `${event.decision === 'allow' ? 'Allowed' : 'Denied'} by ${event.by}${event.reason ? `: ${event.reason}` : ''}`
    case 'approval_withdrawn':
      return `Not asked any more: ${event.reason}`
    case 'steer':
      return `${event.by} said (${event.state}): ${event.text}`
    case 'status':
      return event.text
    case 'plan':
      return event.entries.map(({ text, status }) => `${PLAN_MARKS[status]} ${text}`).join('\n')
    case 'changes':
      return `${plural(event.filesChanged, 'file')} changed, +${event.insertions} −${event.deletions}${event.branch ? ` on ${event.branch}` : ''}`
    case 'finished':
      return [`Finished: ${event.state}`, event.message].filter(Boolean).join('. ')
    case 'unknown':
      return event.text
  }
}
