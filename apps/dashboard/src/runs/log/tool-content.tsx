import { ChevronDown, ChevronRight } from 'lucide-react'
import type { ReactNode } from 'react'
import { formatBytes, formatDuration } from '../../elements/format.ts'
import { Found, MarkedLines } from './marked-text.tsx'
import { inputSummary, inputText } from './row-text.ts'
import type { ToolRow } from './rows.ts'

/** More of a tool's output than this is not put on the page. */
const SHOWN_CHARS = 50_000

type FoldableProps = {
  open: boolean
  onToggle: () => void
  title: ReactNode
  summary: ReactNode
  aside?: ReactNode
  children: ReactNode
}

/** A row that is one line until it is opened. */
export function Foldable({ open, onToggle, title, summary, aside, children }: FoldableProps) {
  const Icon = open ? ChevronDown : ChevronRight
  return (
    <div>
      <button
        type="button"
        aria-expanded={open}
        onClick={onToggle}
        className="flex min-h-6 w-full min-w-0 items-center gap-1.5 text-left"
      >
        <Icon size={14} aria-hidden className="shrink-0 text-soft" />
        <span className="shrink-0">{title}</span>
        <span className="min-w-0 flex-1 truncate text-soft">{summary}</span>
        {aside}
      </button>
      {open && children}
    </div>
  )
}

type ToolContentProps = { row: ToolRow; find: string; open: boolean; onToggle: () => void }

/** A tool call with its answer: what it was asked, what came back, how long it took. */
export function ToolContent({ row: { start, finish }, find, open, onToggle }: ToolContentProps) {
  const input = inputText(start?.input)
  return (
    <Foldable
      open={open}
      onToggle={onToggle}
      title={<strong className="font-semibold">{start?.name ?? 'Tool result'}</strong>}
      summary={start ? <Found text={inputSummary(start.input)} find={find} /> : 'its call is further up'}
      aside={<ToolEnd start={start} finish={finish} />}
    >
      <div className="space-y-1 py-1 pl-5">
        {input !== '' && <Block label="Input" text={input} find={find} />}
        {finish && <Block label="Output" text={finish.output} find={find} />}
        {!finish && <p className="text-soft">No answer yet.</p>}
      </div>
    </Foldable>
  )
}

function ToolEnd({ start, finish }: Pick<ToolRow, 'start' | 'finish'>) {
  if (finish === null) {
    return (
      <span className="flex shrink-0 gap-1.5 text-accent">
        <span aria-hidden className="breathe">
          ●
        </span>
        running
      </span>
    )
  }
  const words = finish.ok ? '✓' : `✕ failed${finish.exitCode === null ? '' : ` (exit ${finish.exitCode})`}`
  return (
    <span className={`shrink-0 ${finish.ok ? 'text-good' : 'text-bad'}`}>
      {finish.ok && <span className="sr-only">succeeded </span>}
      {words}
      {start && <span className="ml-2 text-soft">{formatDuration(finish.at - start.at)}</span>}
    </span>
  )
}

function Block({ label, text, find }: { label: string; text: string; find: string }) {
  const shown = text.length > SHOWN_CHARS ? text.slice(0, SHOWN_CHARS) : text
  return (
    <div className="rounded-md border border-line bg-page">
      <div className="border-b border-line px-2 py-0.5 font-sans text-xs text-soft">
        {label}
        {shown.length < text.length && ` · first ${formatBytes(SHOWN_CHARS)} of ${formatBytes(text.length)}`}
      </div>
      <pre className="max-h-96 overflow-auto px-2 py-1 break-words whitespace-pre-wrap [overflow-wrap:anywhere]">
        {shown === '' ? <span className="text-soft">nothing</span> : <MarkedLines text={shown} find={find} />}
      </pre>
    </div>
  )
}
