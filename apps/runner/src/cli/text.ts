import { stripVTControlCharacters } from 'node:util'
import type { Style } from './style.ts'

/**
 * Columns as wide as their widest cell. The last one runs free, but on a terminal not over its edge as long as a few
 * words of it fit. No rows: nothing at all.
 */
export function table(
  head: string[],
  rows: string[][],
  style: Style,
  edge: number | undefined = process.stdout.columns,
): string {
  if (rows.length === 0) return ''
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => width(row[at] ?? ''))))
  const room = (edge ?? Number.POSITIVE_INFINITY) - widths.slice(0, -1).reduce((sum, one) => sum + one + 2, 0)
  const line = (cells: string[]) =>
    cells
      .map((cell, at) =>
        at === cells.length - 1 ? fit(cell, room) : cell + ' '.repeat((widths[at] ?? 0) - width(cell)),
      )
      .join('  ')
      .trimEnd()
  return [style('dim', line(head)), ...rows.map(line)].join('\n')
}

const FEWEST_COLUMNS = 12

/** Coloured text is never cut: its end would go on. */
function fit(cell: string, room: number): string {
  const isCut = width(cell) > room && room >= FEWEST_COLUMNS && width(cell) === cell.length
  return isCut ? `${cell.slice(0, room - 1)}…` : cell
}

function width(text: string): number {
  return stripVTControlCharacters(text).length
}

/** `0.4 s`, `2.1 s`, `14 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return ms < 100 ? `${Math.max(0, Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min${seconds % 60 ? ` ${seconds % 60} s` : ''}`
  const hours = Math.floor(minutes / 60)
  return hours < 48
    ? `${hours} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`
    : `${Math.floor(hours / 24)} days`
}

export function ago(at: number | null): string {
  return at === null ? 'never' : `${duration(Math.max(0, Date.now() - at))} ago`
}

/** `2026-11-23 01:30:00`, in the time zone of this computer. */
export const localTime = (at: number) => new Date(at).toLocaleString('sv-SE')

/** With cents of a cent where it is less than a dollar. */
export function money(usd: number): string {
  return `$${usd.toFixed(usd < 1 ? 4 : 2)}`
}

/** One line of at most `length` characters; what is cut shows as `…`. */
export function clip(text: string, length: number): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`
}

/** `run_019a2b3c`: enough of an id to type; the relay takes any unique beginning of a run's id. */
export function shortId(id: string): string {
  return id.slice(0, 20)
}
