import type { RunSummary } from '@baton/protocol'

export type Lane = { name: string; rows: RunSummary[][] }

/** Runs that go on at the same time lie below each other in their lane. Lanes with the newest runs come first. */
export function lanesOf(runs: readonly RunSummary[], by: 'machine' | 'agent', now: number): Lane[] {
  const lanes = Map.groupBy(runs, (run) => (by === 'machine' ? run.machine.name : run.agent.key))
  return [...lanes].map(([name, some]) => ({ name, rows: rowsOf(some, now) }))
}

function rowsOf(runs: readonly RunSummary[], now: number): RunSummary[][] {
  const rows: { end: number; runs: RunSummary[] }[] = []
  for (const run of runs.toSorted((one, other) => one.ladder.storedAt - other.ladder.storedAt)) {
    const end = run.ladder.finishedAt ?? now
    const free = rows.find((row) => row.end <= run.ladder.storedAt)
    if (free) {
      free.end = end
      free.runs.push(run)
    } else rows.push({ end, runs: [run] })
  }
  return rows.map((row) => row.runs)
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEPS = [
  MINUTE,
  5 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
]
const MOST_TICKS = 6

/** Round times of the clock of who looks, at most six of them, well inside the stretch. */
export function ticksOf(from: number, to: number): { at: number; text: string }[] {
  const span = to - from
  const step = STEPS.find((one) => span / one <= MOST_TICKS) ?? Math.ceil(span / MOST_TICKS / DAY) * DAY
  const zone = new Date(from).getTimezoneOffset() * MINUTE
  const first = Math.ceil((from - zone) / step) * step + zone
  const ticks = []
  for (let at = first; at <= to; at += step) {
    if (at - from > span * 0.04 && to - at > span * 0.04) ticks.push({ at, text: tickText(at, step) })
  }
  return ticks
}

const tickText = (at: number, step: number) =>
  step >= DAY
    ? new Date(at).toLocaleDateString(undefined, { day: 'numeric', month: 'short' })
    : new Date(at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
