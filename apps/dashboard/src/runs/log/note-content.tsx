import { formatBytes, formatCount } from '../../elements/format.ts'
import { Found } from './marked-text.tsx'
import { noteText } from './row-text.ts'
import type { NoteRow } from './rows.ts'

type NoteEvent = NoteRow['event']

const LOOKS: Partial<Record<NoteEvent['type'], string>> = {
  permission_denied: 'text-warn',
  warning: 'text-warn',
  retry: 'text-warn',
  adopted: 'text-sleep',
  killed: 'text-bad',
  approval_asked: 'text-warn',
}

/** What Baton itself says in between: steps, warnings, gaps and the end. */
export function NoteContent({ event, find }: { event: NoteEvent; find: string }) {
  if (event.type === 'finished') return <Finished event={event} />
  if (event.type === 'cut') return <Cut event={event} />
  return (
    <div
      className={`break-words whitespace-pre-wrap [overflow-wrap:anywhere] ${LOOKS[event.type] ?? 'text-soft'}`}
    >
      <span aria-hidden>{event.type in LOOKS ? '▲ ' : '· '}</span>
      <Found text={noteText(event)} find={find} />
    </div>
  )
}

function Finished({ event }: { event: Extract<NoteEvent, { type: 'finished' }> }) {
  const good = event.state === 'succeeded'
  const end = event.signal ?? (event.exitCode === null ? null : `exit code ${event.exitCode}`)
  return (
    <div
      className={`my-2 rounded-lg px-3 py-2 font-sans text-[14px] ${good ? 'bg-good-soft text-good' : event.state === 'cancelled' ? 'bg-sunk text-soft' : 'bg-bad-soft text-bad'}`}
    >
      <strong className="font-semibold">
        <span aria-hidden>{good ? '✓ ' : event.state === 'cancelled' ? '■ ' : '✕ '}</span>
        {event.state.replaceAll('_', ' ')}
      </strong>
      {` · ${event.outcome.replaceAll('_', ' ')}`}
      {end && ` · ${end}`}
      {event.message && <p className="break-words">{event.message}</p>}
    </div>
  )
}

function Cut({ event }: { event: Extract<NoteEvent, { type: 'cut' }> }) {
  return (
    <div className="my-1.5 rounded-lg border border-dashed border-warn px-3 py-1.5 font-sans text-[13px] text-warn">
      <p>
        <strong className="font-semibold">{formatBytes(event.droppedBytes)}</strong> of{' '}
        {event.stream === 'both' ? 'output' : event.stream} left out here ({formatCount(event.droppedBytes)}{' '}
        bytes): {event.why}
      </p>
      <p className="truncate font-mono text-xs">sha256 {event.sha256}</p>
    </div>
  )
}
