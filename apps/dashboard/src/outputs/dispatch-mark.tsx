import type { DispatchState } from '@baton/protocol'
import { Mark } from '../elements/status-mark.tsx'

const MARKS = {
  pending: { shape: '◌', tone: 'warn' },
  sending: { shape: '●', tone: 'live' },
  sent: { shape: '✓', tone: 'good' },
  failed: { shape: '✕', tone: 'bad' },
  dead: { shape: '✕', tone: 'bad' },
  skipped: { shape: '■', tone: 'quiet' },
} as const satisfies Record<DispatchState, object>

export const DispatchMark = ({ state }: { state: DispatchState }) => (
  <Mark {...MARKS[state]} label={state} live={state === 'sending'} chip />
)
