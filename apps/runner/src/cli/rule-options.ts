import { BatonError, OVERLAPS, type RunRules } from '@baton/protocol'

export type RuleOptions = {
  priority?: string
  delay?: string
  ttl?: string
  stall?: string
  perHour?: string
  concurrencyKey?: string
  concurrencyLimit?: string
  overlap?: string
  conversation?: string
}

export const RULE_OPTIONS: [string, string][] = [
  ['--priority <n>', 'from -100 to 100; higher goes first on its machine'],
  ['--delay <duration>', 'wait before the first attempt, such as 30s, 10m or 2h'],
  ['--ttl <duration>', 'expire when no machine has taken it by then'],
  ['--stall <duration>', 'give a run up when its machine stays away this long'],
  ['--per-hour <n>', 'start at most this many runs in an hour'],
  ['--concurrency-key <template>', 'at most so many at once with the same key'],
  ['--concurrency-limit <n>', 'how many (default 1)'],
  ['--conversation <template>', 'runs with the same text go on with one conversation of their agent'],
  ['--overlap <rule>', `while an earlier one is not finished: ${OVERLAPS.join(', ')}`],
]

/** The rules that the flags ask for, each checked; a wrong one says what it takes. */
export function readRules(options: RuleOptions): Partial<RunRules> {
  const rules: Partial<RunRules> = {}
  if (options.priority !== undefined) rules.priority = readWhole('--priority', options.priority, -100, 100)
  if (options.delay !== undefined) rules.delayMs = readDuration('--delay', options.delay)
  if (options.ttl !== undefined) rules.ttlMs = readDuration('--ttl', options.ttl)
  if (options.stall !== undefined) rules.stallMs = readDuration('--stall', options.stall)
  if (options.perHour !== undefined) rules.perHour = readWhole('--per-hour', options.perHour, 1, 100_000)
  if (options.concurrencyKey !== undefined) {
    const limit = readWhole('--concurrency-limit', options.concurrencyLimit ?? '1', 1, 1_000)
    rules.concurrency = { key: options.concurrencyKey, limit }
  }
  if (options.conversation !== undefined) rules.conversation = options.conversation
  if (options.overlap !== undefined) {
    const overlap = OVERLAPS.find((one) => one === options.overlap)
    if (!overlap)
      throw new BatonError('bad_input', `--overlap ${options.overlap}: choose from ${OVERLAPS.join(', ')}.`)
    rules.overlap = overlap
  }
  return rules
}

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `90s`, `15m`, `2h` or `1d`, in ms. */
export function readDuration(flag: string, text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (!unit)
    throw new BatonError('bad_input', `${flag} ${text}: give a number with s, m, h or d, such as 90s or 2h.`)
  return Number(count) * UNITS[unit as keyof typeof UNITS]
}

function readWhole(flag: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || value > most)
    throw new BatonError('bad_input', `${flag} ${text}: give a whole number from ${least} to ${most}.`)
  return value
}
