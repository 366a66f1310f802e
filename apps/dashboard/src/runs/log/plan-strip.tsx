import { useMemo } from 'react'
import type { LogRow, NoteRow } from './rows.ts'

type Note<T extends NoteRow['event']['type']> = Extract<NoteRow['event'], { type: T }>

const MARKS = { pending: '○', in_progress: '◔', completed: '✓' }
const MARK_WORDS = { pending: 'to do', in_progress: 'now', completed: 'done' }

/** The newest plan of an agent as a list to tick off and, while it works, what it says that it is doing. */
export function PlanStrip({ rows, live }: { rows: readonly LogRow[]; live: boolean }) {
  const { plan, status } = useMemo(
    () => ({ plan: newest(rows, 'plan'), status: newest(rows, 'status') }),
    [rows],
  )
  const doing = live ? status?.text : undefined
  if (!plan || plan.entries.length === 0) {
    if (!doing) return null
    return <p className="truncate border-b border-line px-3 py-1.5 text-[13px] text-soft">{doing}</p>
  }
  const done = plan.entries.filter((entry) => entry.status === 'completed').length
  const now = plan.entries.find((entry) => entry.status === 'in_progress')
  return (
    <details className="group border-b border-line text-[13px]">
      <summary className="flex min-h-8 items-center gap-2 px-3 py-1 -outline-offset-2">
        <span aria-hidden className="text-soft group-open:rotate-90">
          ›
        </span>
        <span className="font-medium whitespace-nowrap">
          Plan: {done} of {plan.entries.length} done
        </span>
        <span className="min-w-0 truncate text-soft">{doing ?? now?.text}</span>
      </summary>
      <ol aria-label="Plan" className="max-h-48 space-y-0.5 overflow-auto px-3 pb-2">
        {plan.entries.map(({ text, status: state }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an agent may plan the same words twice.
          <li key={index} className={`flex gap-2 ${state === 'completed' ? 'text-soft' : ''}`}>
            <span aria-hidden className={state === 'completed' ? 'text-good' : 'text-accent'}>
              {MARKS[state]}
            </span>
            <span className="sr-only">{MARK_WORDS[state]}: </span>
            <span className="min-w-0 break-words">{text}</span>
          </li>
        ))}
      </ol>
    </details>
  )
}

function newest<T extends NoteRow['event']['type']>(rows: readonly LogRow[], type: T): Note<T> | undefined {
  const row = rows.findLast((one) => one.kind === 'note' && one.event.type === type)
  return row?.kind === 'note' ? (row.event as Note<T>) : undefined
}
