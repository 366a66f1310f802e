import type { GithubContextRow } from '@baton/db'

const RESULT_LIMIT = 60_000

/** How the work of a delivery stands, in the words that GitHub's readers see. */
type Standing = { icon: string; words: string }

function standingOf(row: GithubContextRow): Standing {
  switch (row.state) {
    case 'succeeded':
      return row.outcome === 'changed_nothing'
        ? { icon: '✅', words: 'is done and changed nothing' }
        : { icon: '✅', words: row.outcome === 'done_with_warnings' ? 'is done, with warnings' : 'is done' }
    case 'failed':
    case 'dead':
      return {
        icon: '❌',
        words: row.outcome === 'blocked_by_permission' ? 'was not allowed to finish' : 'failed',
      }
    case 'cancelled':
      return { icon: '⏹️', words: 'was stopped' }
    case 'expired':
      return { icon: '⌛', words: 'came too late: no machine took it in time' }
    case 'running':
      return { icon: '🏃', words: 'is at work' }
    case 'stalled':
      return { icon: '💤', words: 'waits for its machine to come back' }
    case 'parked':
      return { icon: '⏸️', words: 'waits' }
    default:
      return { icon: '⏳', words: 'is queued' }
  }
}

/** The line by which an effect is found again. It is invisible on GitHub. */
export const hiddenMarker = (marker: string): string => `<!-- baton:${marker} -->`

/** The one comment that follows a run. */
export function renderComment(
  row: GithubContextRow,
  places: { marker: string; url: string; pullUrl: string | null },
): string {
  const { icon, words } = standingOf(row)
  const took =
    row.started_at && row.finished_at
      ? ` after ${duration(row.finished_at.getTime() - row.started_at.getTime())}`
      : ''
  const lines = [
    `${icon} **${plain(row.job_key)}** ${words}${took} · ${plain(row.agent_name)} on ${plain(row.machine_name)}`,
    '',
    ...(places.pullUrl ? [`Pull request: ${places.pullUrl}`, ''] : []),
    ...(row.push_problem ? [`The branch could not be pushed: ${plain(row.push_problem)}`, ''] : []),
    ...(row.finished_at && !row.feedback.resultComment ? resultLines(row) : []),
    `[Open the run](${places.url})`,
    '',
    hiddenMarker(places.marker),
  ]
  return lines.join('\n')
}

/** A comment of its own with what the agent said at the end. */
export function renderResult(row: GithubContextRow, places: { marker: string; url: string }): string {
  return [...resultLines(row), `[Open the run](${places.url})`, '', hiddenMarker(places.marker)].join('\n')
}

function resultLines(row: GithubContextRow): string[] {
  const text = (row.result ?? row.message ?? row.reason_message ?? '').trim()
  if (text === '') return []
  return [
    quiet(text.length > RESULT_LIMIT ? `${text.slice(0, RESULT_LIMIT).toWellFormed()}\n\n*(cut)*` : text),
    '',
  ]
}

export type CheckFields = {
  status: 'queued' | 'in_progress' | 'completed'
  conclusion?: 'success' | 'failure' | 'cancelled' | 'neutral' | 'timed_out'
  output: { title: string; summary: string }
}

export function renderCheck(row: GithubContextRow): CheckFields {
  const { words } = standingOf(row)
  const title = `${row.job_key} ${words}`.slice(0, 200)
  const summary = (resultLines(row)[0] ?? `${plain(row.agent_name)} on ${plain(row.machine_name)}.`).slice(
    0,
    65_000,
  )
  const output = { title, summary }
  switch (row.state) {
    case 'succeeded':
      return { status: 'completed', conclusion: 'success', output }
    case 'failed':
    case 'dead':
      return { status: 'completed', conclusion: 'failure', output }
    case 'cancelled':
      return { status: 'completed', conclusion: 'cancelled', output }
    case 'expired':
      return { status: 'completed', conclusion: 'timed_out', output }
    case 'running':
    case 'stalled':
      return { status: 'in_progress', output }
    default:
      return { status: 'queued', output }
  }
}

export function renderPull(
  row: GithubContextRow,
  places: { marker: string; url: string },
): { title: string; body: string } {
  const firstLine = (row.result ?? '').trim().split('\n')[0] ?? ''
  const about = row.number === null ? '' : ` (#${row.number})`
  return {
    title: `${plain(firstLine).slice(0, 180) || `Changes by ${row.job_key}`}${about}`,
    body: [
      ...resultLines(row),
      row.number === null ? '' : `For #${row.number}, asked for by ${plain(row.actor)}.`,
      `[Open the run](${places.url})`,
      '',
      hiddenMarker(places.marker),
    ].join('\n'),
  }
}

/** The agent's text must not call people, close issues by itself, or hide something. */
export function quiet(text: string): string {
  return text
    .replaceAll('<!--', '&lt;!--')
    .replaceAll(/(^|[^\w`/])@(?=[\w-])/g, '$1@\u200b')
    .replaceAll(/\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(\s*:?\s+)(#\d)/gi, '$1$2\u200b$3')
}

/** A name inside a sentence of ours is no markup. */
const plain = (text: string) => quiet(text.replaceAll(/[\r\n]+/g, ' ')).replaceAll(/([\\`*_[\]<>])/g, '\\$1')

function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
