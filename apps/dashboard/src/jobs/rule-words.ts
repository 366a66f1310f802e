import type { JobView, Overlap } from '@baton/protocol'
import { formatDuration, plural } from '../elements/format.ts'

const OVERLAP_WORDS: Record<Overlap, string> = {
  queue: '',
  skip: 'Skipped while an earlier run is not finished.',
  replace: 'A new run stops the earlier one.',
  coalesce: 'A run that still waits takes the newest event instead of a second one.',
}

/** What limits a job's runs, as sentences; rules that are not set are left out. */
export function ruleWords({ limits, rules, workspace }: JobView): string {
  return [
    workspace ? `Works in ${workspace}.` : 'Works in a folder that the runner keeps for the agent.',
    limits.silenceMs === null
      ? 'No limit of silence.'
      : `Ended after ${formatDuration(limits.silenceMs)} of silence.`,
    limits.wallMs !== null && `Ended after ${formatDuration(limits.wallMs)} in all.`,
    limits.repeatable
      ? `Tried up to ${plural(limits.maxAttempts, 'time')}.`
      : 'Never tried again by itself once it has started.',
    rules.delayMs > 0 && `Waits ${formatDuration(rules.delayMs)} first.`,
    rules.ttlMs !== null && `Expires when no machine took it within ${formatDuration(rules.ttlMs)}.`,
    rules.stallMs !== null && `Given up when its machine is away for ${formatDuration(rules.stallMs)}.`,
    rules.perHour !== null && `At most ${plural(rules.perHour, 'run')} an hour.`,
    rules.concurrency !== null &&
      `At most ${rules.concurrency.limit} at once for each ${rules.concurrency.key}.`,
    OVERLAP_WORDS[rules.overlap],
  ]
    .filter(Boolean)
    .join(' ')
}
