import { BatonError } from '@baton/protocol'
import { Cron } from 'croner'

/** The slots of a schedule: times to the minute (cron) or to the millisecond (interval), by the clock of no machine. */
export type Slots = {
  /** The first slot after this time; null when there is none any more. */
  after(time: Date): Date | null
}

const FIELDS = 5

/**
 * A cron expression in an IANA zone. Five fields (minute, hour, day, month, weekday) with lists, ranges, steps, names,
 * `L` and `#`, or a word such as `@daily`. Day and weekday together mean either. A fixed time in the hour that a clock
 * change leaves out comes once, at the first instant after it; in an hour that comes twice, once, in its first pass.
 *
 * Throws `bad_input` with what to write instead for what has no slots (30 February), seconds, and words that mean no time.
 */
export function cronSlots(expression: string, zone: string): Slots {
  assertZone(zone)
  assertForm(expression)
  const cron = parse(expression, zone)
  if (cron.nextRun(new Date('2024-01-01T00:00:00Z')) === null) {
    throw new BatonError(
      'bad_input',
      `The cron expression "${expression}" never comes: there is no such date. Check its day and month.`,
    )
  }
  return { after: (time) => cron.nextRun(time) }
}

/** Every `everyMs` from an anchor on. */
export function intervalSlots(everyMs: number, anchor: Date): Slots {
  return {
    after(time) {
      const passed = Math.floor((time.getTime() - anchor.getTime()) / everyMs)
      return new Date(anchor.getTime() + Math.max(passed + 1, 1) * everyMs)
    },
  }
}

/** Throws `bad_input` for what is no IANA time zone. */
export function assertZone(zone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
  } catch (cause) {
    throw new BatonError(
      'bad_input',
      `There is no time zone "${zone.slice(0, 100)}". Give one of the IANA list, such as Europe/Berlin or UTC.`,
      { cause },
    )
  }
}

function assertForm(expression: string) {
  const text = expression.trim()
  if (text.startsWith('@')) {
    if (/^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/i.test(text)) return
    throw new BatonError(
      'bad_input',
      `"${text}" is no time that comes again. Use @yearly, @monthly, @weekly, @daily, @hourly or five fields such as "30 2 * * *".`,
    )
  }
  const fields = text.split(/\s+/).length
  if (fields === FIELDS) return
  throw new BatonError(
    'bad_input',
    fields === FIELDS + 1
      ? `The cron expression "${text}" has six fields: seconds are not taken. Leave the first field out, or use an interval for less than a minute.`
      : `The cron expression "${text}" has ${fields} fields and needs five: minute, hour, day, month, weekday, such as "30 2 * * 1-5".`,
  )
}

function parse(expression: string, zone: string): Cron {
  try {
    return new Cron(expression.trim(), { timezone: zone, paused: true })
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message.replace(/^CronPattern: /, '') : 'it cannot be read'
    throw new BatonError('bad_input', `The cron expression "${expression}" is not right: ${problem}.`, {
      cause,
    })
  }
}
