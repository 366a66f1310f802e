import type { DispatchDetail, DispatchState, DispatchView, OutputView } from '@baton/protocol'
import { printable } from './printable.ts'
import type { Style } from './style.ts'
import { ago, clip, duration, shortId, table } from './text.ts'

const SHAPES: Record<DispatchState, { shape: string; colour: 'green' | 'red' | 'yellow' | 'cyan' | 'dim' }> =
  {
    pending: { shape: '◌', colour: 'yellow' },
    sending: { shape: '●', colour: 'cyan' },
    sent: { shape: '✓', colour: 'green' },
    failed: { shape: '✕', colour: 'red' },
    dead: { shape: '✕', colour: 'red' },
    skipped: { shape: '■', colour: 'dim' },
  }

/** Shape and word, so that colour is never the only sign. */
export function dispatchWord(state: DispatchState, style: Style): string {
  return style(SHAPES[state].colour, `${SHAPES[state].shape} ${state}`)
}

export function dispatchTable(dispatches: readonly DispatchView[], style: Style): string {
  return table(
    ['dispatch', 'state', 'kind', 'to', 'run', 'made', ''],
    dispatches.map((one) => [
      one.id,
      dispatchWord(one.state, style),
      one.kind,
      clip(printable(one.target), 40),
      one.runId ? shortId(one.runId) : '',
      ago(one.createdAt),
      one.state === 'sent' ? '' : clip(printable(one.sentence), 90),
    ]),
    style,
  )
}

export function outputTable(outputs: readonly OutputView[], style: Style): string {
  return table(
    ['output', 'job', 'kind', 'on', 'last', 'to'],
    outputs.map((one) => [
      one.id,
      printable(one.job.key),
      one.enabled ? one.kind : `${one.kind} ${style('yellow', '(off)')}`,
      one.on,
      one.last ? dispatchWord(one.last.state, style) : '',
      printable(one.target),
    ]),
    style,
  )
}

export function dispatchText(dispatch: DispatchDetail, style: Style): string {
  const lines = [
    `${style('bold', dispatch.id)}  ${dispatchWord(dispatch.state, style)}`,
    `  ${printable(dispatch.sentence)}`,
    `  ${dispatch.kind} to ${printable(dispatch.target)}${dispatch.job ? `, job ${printable(dispatch.job.key)}` : ''}${dispatch.runId ? `, ${dispatch.runId}` : ''}`,
  ]
  if (dispatch.url) lines.push(`  ${printable(dispatch.url)}`)
  if (dispatch.externalId) lines.push(`  ${style('dim', printable(dispatch.externalId))}`)
  if (dispatch.attempts.length > 0) lines.push('')
  for (const one of dispatch.attempts) {
    const took = one.tookMs === null ? '' : `, ${duration(one.tookMs)}`
    lines.push(
      `  ${new Date(one.at).toISOString()}  ${one.result}${took}${one.why ? `: ${printable(one.why)}` : ''}`,
    )
  }
  if (dispatch.content !== null) lines.push('', printable(dispatch.content))
  return lines.join('\n')
}
