import { memo } from 'react'
import { formatInstant } from '../../elements/format.ts'
import { MarkedLines, MarkedText } from './marked-text.tsx'
import { NoteContent } from './note-content.tsx'
import type { LineRow, LogRow, MessageRow } from './rows.ts'
import { Foldable, ToolContent } from './tool-content.tsx'

export type RowView = {
  find: string
  wrap: boolean
  times: boolean
  isOpen: (key: string) => boolean
  toggle: (key: string) => void
}

type LogRowProps = {
  row: LogRow
  view: RowView
  open: boolean
  marked: 'linked' | 'found' | null
  digits: number
}

const MARKED = { linked: 'bg-accent-soft', found: 'bg-warn-soft' }

/** One row of the log: its number, which is its link, its time if wanted, and what it says. */
export const LogRowView = memo(function LogRowView({ row, view, open, marked, digits }: LogRowProps) {
  return (
    <div className={`flex min-w-full gap-3 pr-3 pl-1 ${marked ? MARKED[marked] : 'hover:bg-hover'}`}>
      <a
        href={`#L${row.key}`}
        aria-label={`Line ${row.key}`}
        tabIndex={-1}
        className="shrink-0 text-right text-soft select-none hover:text-accent hover:underline"
        style={{ width: `${digits + 1}ch` }}
      >
        {numberOf(row)}
      </a>
      {view.times && (
        <time className="shrink-0 text-soft select-none">{row.at === 0 ? '' : formatInstant(row.at)}</time>
      )}
      <div className="min-w-0 flex-1">
        <Content row={row} view={view} open={open} />
      </div>
    </div>
  )
})

/** An event's number stands on its first line; `↪` marks a line that goes on the one above. */
function numberOf(row: LogRow): string {
  if (row.kind === 'line' && row.continued) return '↪'
  return row.key.includes('.') ? '·' : row.key
}

function Content({ row, view, open }: { row: LogRow; view: RowView; open: boolean }) {
  switch (row.kind) {
    case 'line':
      return <Line row={row} view={view} />
    case 'message':
      return <Message row={row} find={view.find} />
    case 'thinking':
      return (
        <Foldable
          open={open}
          onToggle={() => view.toggle(row.key)}
          title={<span className="text-soft italic">Thinking</span>}
          summary={row.text.split('\n', 1)[0] ?? ''}
        >
          <div className="py-1 pl-5 font-sans text-[13px] break-words whitespace-pre-wrap text-soft italic">
            <MarkedLines text={row.text} find={view.find} />
          </div>
        </Foldable>
      )
    case 'tool':
      return <ToolContent row={row} find={view.find} open={open} onToggle={() => view.toggle(row.key)} />
    case 'note':
      return <NoteContent event={row.event} find={view.find} />
  }
}

function Line({ row, view }: { row: LineRow; view: RowView }) {
  return (
    <div
      className={`${view.wrap ? 'break-words whitespace-pre-wrap [overflow-wrap:anywhere]' : 'whitespace-pre'} ${row.stream === 'stderr' ? 'border-l-2 border-bad/60 pl-2' : ''}`}
    >
      {row.stream === 'stderr' && <span className="sr-only">stderr: </span>}
      {row.text === '' ? ' ' : <MarkedText text={row.text} carry={row.carry} find={view.find} />}
    </div>
  )
}

const ROLES = {
  assistant: { name: 'Agent', look: 'border-accent' },
  user: { name: 'Told', look: 'border-line-strong' },
  result: { name: 'Result', look: 'border-good' },
}

function Message({ row: { role, text, goesOn }, find }: { row: MessageRow; find: string }) {
  const { name, look } = ROLES[role]
  return (
    <div
      className={`max-w-[80ch] border-l-2 pl-3 font-sans text-[14px] leading-6 ${look} ${goesOn ? 'mb-1' : 'my-1'}`}
    >
      <div className={goesOn ? 'sr-only' : 'text-xs font-semibold text-soft'}>{name}</div>
      <div className="break-words whitespace-pre-wrap [overflow-wrap:anywhere]">
        <MarkedLines text={text} find={find} />
      </div>
    </div>
  )
}
