import type { AgentState, MachineState, StatusWord as Word } from '@baton/protocol'
import { STATUS_SHAPES } from '@baton/protocol'

export type Tone = 'good' | 'bad' | 'warn' | 'sleep' | 'live' | 'quiet'

/** Each word has its own shape too: colour is never the only sign. */
const STATUS_TONES: Record<Word, Tone> = {
  queued: 'quiet',
  starting: 'live',
  running: 'live',
  waiting: 'warn',
  asleep: 'sleep',
  done: 'good',
  warning: 'warn',
  failed: 'bad',
  stopped: 'quiet',
  lost: 'bad',
}

const MACHINE_MARKS: Record<MachineState, { shape: string; tone: Tone }> = {
  online: { shape: '●', tone: 'good' },
  offline: { shape: '☾', tone: 'sleep' },
  draining: { shape: '◔', tone: 'warn' },
  revoked: { shape: '✕', tone: 'bad' },
  archived: { shape: '■', tone: 'quiet' },
}

const AGENT_MARKS: Record<AgentState, { shape: string; tone: Tone }> = {
  idle: { shape: '○', tone: 'good' },
  busy: { shape: '●', tone: 'live' },
  error: { shape: '✕', tone: 'bad' },
  offline: { shape: '☾', tone: 'sleep' },
  paused: { shape: '❚❚', tone: 'warn' },
  archived: { shape: '■', tone: 'quiet' },
}

const TEXT: Record<Tone, string> = {
  good: 'text-good',
  bad: 'text-bad',
  warn: 'text-warn',
  sleep: 'text-sleep',
  live: 'text-accent',
  quiet: 'text-soft',
}

const CHIP: Record<Tone, string> = {
  good: 'bg-good-soft text-good',
  bad: 'bg-bad-soft text-bad',
  warn: 'bg-warn-soft text-warn',
  sleep: 'bg-sleep-soft text-sleep',
  live: 'bg-accent-soft text-accent',
  quiet: 'bg-sunk text-soft',
}

/** For shapes that are filled, such as bars. */
export const TONE_FILL: Record<Tone, string> = {
  good: 'bg-good',
  bad: 'bg-bad',
  warn: 'bg-warn',
  sleep: 'bg-sleep',
  live: 'bg-accent',
  quiet: 'bg-line-strong',
}

export const toneOf = (word: Word) => STATUS_TONES[word]

export const statusLabel = (word: Word) => (word === 'warning' ? 'done with warnings' : word)

export function StatusMark({ word, chip = false }: { word: Word; chip?: boolean }) {
  const live = word === 'running' || word === 'starting'
  return (
    <Mark
      shape={STATUS_SHAPES[word]}
      tone={STATUS_TONES[word]}
      label={statusLabel(word)}
      live={live}
      chip={chip}
    />
  )
}

/** The shape alone, for rows where the word is said beside it or by `title`. */
export function StatusShape({ word, className = '' }: { word: Word; className?: string }) {
  return (
    <span className={`${TEXT[STATUS_TONES[word]]} inline-block w-[1.2em] text-center ${className}`}>
      <span aria-hidden className={word === 'running' || word === 'starting' ? 'breathe inline-block' : ''}>
        {STATUS_SHAPES[word]}
      </span>
      <span className="sr-only">{statusLabel(word)}</span>
    </span>
  )
}

/** The word alone, for rows that begin with its shape. */
export function StatusWord({ word }: { word: Word }) {
  return <span className={`${TEXT[STATUS_TONES[word]]} font-medium`}>{statusLabel(word)}</span>
}

export const MachineMark = ({ state }: { state: MachineState }) => (
  <Mark {...MACHINE_MARKS[state]} label={state} chip />
)
export const AgentMark = ({ state }: { state: AgentState }) => (
  <Mark {...AGENT_MARKS[state]} label={state} chip />
)

type MarkProps = { shape: string; tone: Tone; label: string; live?: boolean; chip?: boolean }

export function Mark({ shape, tone, label, live = false, chip = false }: MarkProps) {
  const look = chip ? `${CHIP[tone]} rounded-full px-2 py-0.5 text-xs` : TEXT[tone]
  return (
    <span className={`${look} inline-flex items-center gap-1.5 font-medium whitespace-nowrap`}>
      <span aria-hidden className={live ? 'breathe' : ''}>
        {shape}
      </span>
      {label}
    </span>
  )
}
