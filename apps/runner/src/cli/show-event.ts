import { QUESTION_TOOL, type RunEvent } from '@baton/protocol'
import { printable } from './printable.ts'
import type { Style } from './style.ts'
import { clip, duration } from './text.ts'

/** Turns a run's events, in order, into text for people. */
export type EventWriter = {
  /** The text of one event: whole lines, or a part of one while an agent prints it piece by piece. */
  show(event: RunEvent): string
  /** Ends a line that was left open. */
  end(): string
}

/** Enough of the end of the output to recognize a result in it. */
const KEPT_OUTPUT = 300_000

/** Of what a tool printed. */
const SHOWN_LINES = 3

/** `full` shows what a run's follower can do without as well: start, session, usage. */
export function createEventWriter(style: Style, { full = false }: { full?: boolean } = {}): EventWriter {
  const tools = new Map<string, { at: number; shown: string }>()
  let openStream: string | null = null
  let lastMessage = ''
  let lastOutput = ''

  const endLine = () => {
    const end = openStream === null ? '' : '\n'
    openStream = null
    return end
  }
  const line = (text: string) => `${endLine()}${text}\n`
  const note = (text: string) => line(style('dim', `  ${printable(text)}`))

  function output(event: Extract<RunEvent, { type: 'output' }>): string {
    const text = printable(textOf(event), { colours: true })
    if (text === '') return ''
    if (event.stream === 'stdout') lastOutput = (lastOutput + textOf(event)).slice(-KEPT_OUTPUT)
    const before = openStream !== null && openStream !== event.stream ? endLine() : ''
    openStream = text.endsWith('\n') ? null : event.stream
    return before + text
  }

  function toolFinished(event: Extract<RunEvent, { type: 'tool_finished' }>): string {
    const tool = tools.get(event.id)
    tools.delete(event.id)
    const took = tool ? duration(event.at - tool.at) : ''
    if (event.ok) return line(style('dim', `  ⎿ ${`${took}${startOf(event.output)}`.trimStart()}`))
    const code = event.exitCode === null ? 'failed' : `exit ${event.exitCode}`
    return line(style('red', `  ⎿ ✕ ${code}  ${took}  ${clip(printable(event.output), 120)}`))
  }

  /** A result repeats the last message, or the end of what a plain program printed. */
  function isSaidAlready(result: string): boolean {
    return result === lastMessage.trim() || lastOutput.trimEnd().endsWith(result)
  }

  function show(event: RunEvent): string {
    switch (event.type) {
      case 'message':
        lastMessage = event.text
        return event.role === 'assistant' ? line(printable(event.text)) : note(`> ${event.text}`)
      case 'thinking':
        return note(clip(event.text, 400))
      case 'tool_started': {
        const shown = `${event.name} ${clip(printable(inputOf(event.input)), 100)}`.trim()
        tools.set(event.id, { at: event.at, shown })
        return line(`${style('cyan', '●')} ${shown}`)
      }
      case 'tool_finished':
        return toolFinished(event)
      case 'output':
        return output(event)
      case 'permission_denied':
        return line(style('yellow', `! ${printable(`${event.tool} was refused: ${event.detail}`)}`))
      case 'retry':
        return line(style('yellow', `! try ${event.attempt}: ${printable(event.reason)}`))
      case 'warning':
        return line(style('yellow', `! ${printable(event.text)}`))
      case 'cut':
        return line(
          style(
            'yellow',
            `✂ ${event.droppedBytes} bytes of ${event.stream} left out: ${printable(event.why)} (sha256 ${event.sha256})`,
          ),
        )
      case 'adopted':
        return note(`the runner came back and took this run over: ${event.why}`)
      case 'killed':
        return note(
          `ended: ${event.reason}, ${event.proof.survivors} processes left after ${duration(event.proof.tookMs)}`,
        )
      case 'result':
        return isSaidAlready(event.text.trim()) ? '' : line(printable(event.text))
      case 'started':
        return full
          ? note(
              `started ${event.runtime} ${event.version ?? ''} in ${event.workspace}: ${event.command.join(' ')}`,
            )
          : ''
      case 'session':
        return full ? note(`session ${event.sessionId} ${event.model ?? ''}`) : ''
      case 'usage':
        return full ? note(`${event.usage.inputTokens} tokens in, ${event.usage.outputTokens} out`) : ''
      case 'consumed':
        return ''
      case 'plan':
        return event.entries
          .map((entry) => note(`${PLAN_MARKS[entry.status]} ${clip(printable(entry.text), 120)}`))
          .join('')
      case 'status':
        return note(clip(printable(event.text), 200))
      case 'approval_asked':
        return line(
          style(
            'yellow',
            event.tool === QUESTION_TOOL
              ? `? ${printable(event.summary)}`
              : `? may it use ${printable(`${event.tool}: ${event.summary}`)}`,
          ),
        )
      case 'approval_answered':
        return line(
          style('yellow', `? ${event.decision === 'allow' ? 'allowed' : 'denied'} by ${printable(event.by)}`),
        )
      case 'approval_withdrawn':
        return note(`? withdrawn: ${event.reason}`)
      case 'steer':
        return note(`> ${printable(event.by)} (${event.state}): ${clip(printable(event.text), 400)}`)
      case 'changes':
        return full
          ? note(
              `${event.filesChanged} ${event.filesChanged === 1 ? 'file' : 'files'} changed, +${event.insertions} −${event.deletions}`,
            )
          : ''
      case 'finished':
        return full
          ? note(`${event.state}: ${event.outcome}${event.message ? `, ${event.message}` : ''}`)
          : ''
    }
  }
  return { show, end: endLine }
}

const PLAN_MARKS = { pending: '☐', in_progress: '▸', completed: '☑' } as const

/** The bytes of an output event as text; what was no UTF-8 shows its wrong bytes as U+FFFD. */
function textOf(event: Extract<RunEvent, { type: 'output' }>): string {
  return event.text ?? Buffer.from(event.base64 ?? '', 'base64').toString('utf8')
}

/** Beside the time what fits on one line; below it the first lines of more, and how many are left out. */
function startOf(output: string): string {
  const lines = printable(output)
    .split('\n')
    .filter((one) => one.trim() !== '')
  if (lines.length <= 1) return lines.length === 0 ? '' : `  ${clip(lines[0] ?? '', 120)}`
  const left = lines.length - SHOWN_LINES
  const shown = lines.slice(0, SHOWN_LINES).map((one) => (one.length > 120 ? `${one.slice(0, 119)}…` : one))
  return ['', ...shown, ...(left > 0 ? [`… ${left} more ${left === 1 ? 'line' : 'lines'}`] : [])].join(
    '\n    ',
  )
}

/** The one value that tells people what a tool is asked, where there is one. */
function inputOf(input: unknown): string {
  if (typeof input === 'string') return input
  if (typeof input !== 'object' || input === null) return ''
  const fields = input as Record<string, unknown>
  for (const name of ['command', 'file_path', 'path', 'pattern', 'query', 'url', 'description']) {
    if (typeof fields[name] === 'string') return fields[name]
  }
  if (Array.isArray(fields.changes)) return fields.changes.map(changeOf).join(', ')
  return Object.keys(fields).length === 0 ? '' : JSON.stringify(input)
}

/** One change of a patch: `add src/index.ts`. */
function changeOf(change: unknown): string {
  const { kind, path } = (change ?? {}) as { kind?: unknown; path?: unknown }
  return [kind, path].filter((one) => typeof one === 'string').join(' ')
}
