import type { ConnectionState } from '../api/connection.ts'
import { useConnection } from '../api/connection.ts'
import { formatClock } from '../elements/format.ts'

const LOOKS: Record<ConnectionState, { shape: string; look: string }> = {
  connecting: { shape: '◌', look: 'bg-sunk text-soft' },
  live: { shape: '●', look: 'bg-good-soft text-good' },
  catching_up: { shape: '◔', look: 'bg-accent-soft text-accent' },
  offline: { shape: '✕', look: 'bg-warn-soft text-warn' },
}

/** Whether what is shown is true now, and if not, since when. */
export function ConnectionPill() {
  const { state, liveUntil } = useConnection()
  const { shape, look } = LOOKS[state]
  return (
    <span
      role="status"
      data-connection={state}
      className={`${look} inline-flex items-center gap-1.5 rounded-full px-2.5 py-1 text-xs font-medium whitespace-nowrap`}
    >
      <span aria-hidden>{shape}</span>
      {wordsOf(state, liveUntil)}
    </span>
  )
}

function wordsOf(state: ConnectionState, liveUntil: number | null): string {
  if (state === 'connecting') return 'connecting'
  if (state === 'live') return 'live'
  if (state === 'catching_up') return 'catching up'
  return liveUntil === null ? 'offline' : `offline – showing ${formatClock(liveUntil)}`
}
