import type { NextFires } from '@baton/protocol'
import { toString as inWords } from 'cronstrue'
import type { Schedule } from './slots-of.ts'

/** The next `count` slots after `now`, in the schedule's own zone and in another. */
export function nextFires(schedule: Schedule, now: Date, count: number, zone: string | null): NextFires {
  const fires: NextFires['fires'] = []
  let at: Date | null = now
  while (fires.length < count) {
    at = schedule.slots.after(at)
    if (at === null) break
    fires.push({ at: at.getTime(), local: inZone(at, zone ?? schedule.zone) })
  }
  return { words: words(schedule), zone: schedule.zone, shownIn: zone ?? schedule.zone, fires }
}

function words({ text, zone }: Schedule): string {
  const [, every] = /^every (\d+) ms$/.exec(text) ?? []
  if (every) return `Every ${interval(Number(every))}`
  return `${inWords(nickname(text), { use24HourTimeFormat: true, verbose: true })} (${zone})`
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const

function interval(ms: number): string {
  const [unit, size] = UNITS.find(([, length]) => ms % length === 0) ?? (['millisecond', 1] as const)
  const count = ms / size
  return count === 1 ? unit : `${count} ${unit}s`
}

/** What the words mean in five fields, for those who describe only fields. */
function nickname(text: string): string {
  const meanings: Record<string, string> = {
    '@yearly': '0 0 1 1 *',
    '@annually': '0 0 1 1 *',
    '@monthly': '0 0 1 * *',
    '@weekly': '0 0 * * 0',
    '@daily': '0 0 * * *',
    '@midnight': '0 0 * * *',
    '@hourly': '0 * * * *',
  }
  return meanings[text.toLowerCase()] ?? text
}

/** `Fri, 2026-11-20 14:03 Europe/Berlin`, without the ambiguity of an hour that comes twice: with its offset. */
function inZone(at: Date, zone: string): string {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      weekday: 'short',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'longOffset',
    })
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  )
  const seconds = parts.second === '00' ? '' : `:${parts.second}`
  const offset = String(parts.timeZoneName).replace('GMT', '') || '+00:00'
  return `${parts.weekday} ${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}${seconds} ${offset}`
}
