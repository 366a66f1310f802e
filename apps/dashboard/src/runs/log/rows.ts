import type { RunEvent } from '@baton/protocol'
import { SGR_CODE } from './ansi.ts'
import { isErrorRow } from './is-error-row.ts'
import type { LogEvent } from './read-event.ts'

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>

/** Types with a row of their own; every other is a note. */
type SpokenType = 'output' | 'message' | 'result' | 'thinking' | 'tool_started' | 'tool_finished'

type Speaker = 'assistant' | 'user' | 'result'

/** What the log shows, one entry each. `key` is stable over loading older events; `seq` is what a link names. */
export type LogRow = { key: string; seq: number; at: number } & (
  | {
      kind: 'line'
      stream: 'stdout' | 'stderr'
      text: string
      /** The colour codes in force where the line starts. */
      carry: string
      /** It goes on the row above: the line was too long for one. */
      continued: boolean
    }
  | {
      kind: 'message'
      role: Speaker
      text: string /** The row above is of the same speaker. */
      goesOn: boolean
    }
  | { kind: 'thinking'; text: string }
  | { kind: 'tool'; start: EventOf<'tool_started'> | null; finish: EventOf<'tool_finished'> | null }
  | { kind: 'note'; event: Exclude<LogEvent, { type: SpokenType }> }
)
export type LineRow = Extract<LogRow, { kind: 'line' }>
export type MessageRow = Extract<LogRow, { kind: 'message' }>
export type ToolRow = Extract<LogRow, { kind: 'tool' }>
export type NoteRow = Extract<LogRow, { kind: 'note' }>

/** A longer line goes on in the next row, so that one line of 100 MB does not become one element. */
export const ROW_CHARS = 2_000

type Stream = { openRow: number | null; carry: string }

export type RowBuilder = {
  readonly rows: LogRow[]
  /** Indexes of the rows that are errors, in order. */
  readonly errors: number[]
  add: (event: LogEvent) => void
}

/**
 * Turns events into rows, in their order: raw output becomes lines (a line may span events and streams may interleave),
 * a tool's end joins its start. Rows that change are replaced, never altered.
 */
export function createRowBuilder(): RowBuilder {
  const list = createRowList()
  const tools = new Map<string, number>()
  const streams = {
    stdout: { openRow: null, carry: '' } as Stream,
    stderr: { openRow: null, carry: '' } as Stream,
  }

  function add(event: LogEvent): void {
    const at = { key: String(event.seq), seq: event.seq, at: event.at }
    switch (event.type) {
      case 'output':
        addOutput(list, streams[event.stream], event)
        break
      case 'message':
        addMessage(event.role, event)
        break
      case 'result':
        addMessage('result', event)
        break
      case 'thinking':
        list.push({ ...at, kind: 'thinking', text: event.text })
        break
      case 'tool_started':
        tools.set(event.id, list.rows.length)
        list.push({ ...at, kind: 'tool', start: event, finish: null })
        break
      case 'tool_finished':
        finishTool(event)
        break
      default:
        list.push({ ...at, kind: 'note', event })
    }
  }

  function addMessage(role: Speaker, { seq, at, text }: EventOf<'message' | 'result'>): void {
    const above = list.rows.at(-1)
    const goesOn = above?.kind === 'message' && above.role === role
    list.push({ key: String(seq), seq, at, kind: 'message', role, text, goesOn })
  }

  function finishTool(event: EventOf<'tool_finished'>): void {
    const index = tools.get(event.id)
    const row = index === undefined ? undefined : list.rows[index]
    if (index === undefined || row?.kind !== 'tool') {
      // Its start is not loaded.
      list.push({
        key: String(event.seq),
        seq: event.seq,
        at: event.at,
        kind: 'tool',
        start: null,
        finish: event,
      })
      return
    }
    list.replace(index, { ...row, finish: event })
    tools.delete(event.id)
  }

  return { rows: list.rows, errors: list.errors, add }
}

type RowList = {
  rows: LogRow[]
  errors: number[]
  push: (row: LogRow) => void
  replace: (index: number, row: LogRow) => void
}

/** Rows with the errors among them kept as they come, so that nobody looks through 200,000 rows for each new line. */
function createRowList(): RowList {
  const rows: LogRow[] = []
  const errors: number[] = []
  return {
    rows,
    errors,
    push(row) {
      if (isErrorRow(row)) errors.push(rows.length)
      rows.push(row)
    },
    replace(index, row) {
      rows[index] = row
      const at = errors.findLastIndex((error) => error <= index)
      if (isErrorRow(row) && errors[at] !== index) errors.splice(at + 1, 0, index)
    },
  }
}

function addOutput(list: RowList, stream: Stream, event: EventOf<'output'>): void {
  const text = event.text ?? readBytes(event.base64 ?? '')
  let part = 0
  for (const { content, ends } of splitLines(text)) {
    settleReturn(list, stream, content === '' && ends)
    let rest = content
    do {
      const open = stream.openRow === null ? undefined : list.rows[stream.openRow]
      if (open?.kind === 'line' && open.text.length < ROW_CHARS) {
        const taken = rest.slice(0, cutAt(rest, ROW_CHARS - open.text.length))
        list.replace(stream.openRow as number, { ...open, text: open.text + taken })
        rest = rest.slice(taken.length)
        stream.carry = carryAfter(stream.carry, taken)
      } else {
        const taken = rest.slice(0, cutAt(rest, ROW_CHARS))
        const key = part === 0 ? String(event.seq) : `${event.seq}.${part}`
        const { carry } = stream
        const continued = open !== undefined
        stream.openRow = list.rows.length
        list.push({
          key,
          seq: event.seq,
          at: event.at,
          kind: 'line',
          stream: event.stream,
          text: taken,
          carry,
          continued,
        })
        rest = rest.slice(taken.length)
        stream.carry = carryAfter(carry, taken)
        part += 1
      }
    } while (rest.length > 0)
    if (ends) stream.openRow = null
  }
}

/** A \r that ended an event is known for what it was by what follows: half a line's end, or a progress bar's. */
function settleReturn(list: RowList, stream: Stream, newlineFollows: boolean): void {
  const open = stream.openRow === null ? undefined : list.rows[stream.openRow]
  if (open?.kind !== 'line' || !open.text.endsWith('\r')) return
  if (newlineFollows) list.replace(stream.openRow as number, { ...open, text: open.text.slice(0, -1) })
  else stream.openRow = null
}

/** Lines end at \n and \r\n; a lone \r, with which a progress bar starts over, ends one too and stays visible. */
function* splitLines(text: string): Generator<{ content: string; ends: boolean }> {
  let from = 0
  while (from < text.length) {
    const match = nextEnd(text, from)
    if (match === null) {
      yield { content: text.slice(from), ends: false }
      return
    }
    yield { content: text.slice(from, match.contentEnd), ends: true }
    from = match.next
  }
}

function nextEnd(text: string, from: number): { contentEnd: number; next: number } | null {
  const newline = text.indexOf('\n', from)
  const slice = newline === -1 ? text.length : newline
  const back = text.indexOf('\r', from)
  if (back !== -1 && back < slice - 1) return { contentEnd: back + 1, next: back + 1 }
  if (newline === -1) return null
  return { contentEnd: back === newline - 1 && back >= from ? back : newline, next: newline + 1 }
}

/** Not in the middle of a surrogate pair, and not in the middle of a colour code. */
function cutAt(text: string, at: number): number {
  if (text.length <= at) return text.length
  const start = text.lastIndexOf('\u001b', at - 1)
  const code = start > at - 32 && start > 0 ? SGR_AT_START.exec(text.slice(start, start + 64)) : null
  if (code && start + code[0].length > at) return start
  const last = text.charCodeAt(at - 1)
  return last >= 0xd800 && last <= 0xdbff && at > 1 ? at - 1 : at
}

const SGR_AT_START = new RegExp(`^${SGR_CODE}`)
const SGR = new RegExp(SGR_CODE, 'g')
/** More colour codes than this without a reset are forgotten from the front. */
const CARRY_CHARS = 120

function carryAfter(carry: string, text: string): string {
  if (!text.includes('\u001b[')) return carry
  let after = carry
  for (const [code] of text.matchAll(SGR)) {
    after = /\[0*m$/.test(code) ? '' : after + code
  }
  return after.length <= CARRY_CHARS
    ? after
    : after.slice(after.indexOf('\u001b', after.length - CARRY_CHARS))
}

/** Bytes that are no UTF-8, each foreign one shown by its number. */
function readBytes(base64: string): string {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
  return Array.from(bytes, (byte) =>
    byte < 0x80 ? String.fromCharCode(byte) : `⟨${byte.toString(16)}⟩`,
  ).join('')
}
