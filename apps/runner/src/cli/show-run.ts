import { type RunSummary, type RunView, STATUS_SHAPES, type StatusWord } from '@baton/protocol'
import { sumLine } from './diff.ts'
import { printable } from './printable.ts'
import { dispatchWord } from './show-dispatch.ts'
import type { Style } from './style.ts'
import { ago, clip, duration, localTime, money, shortId, table } from './text.ts'

const COLOURS: Record<StatusWord, 'green' | 'red' | 'yellow' | 'cyan' | 'dim'> = {
  queued: 'dim',
  starting: 'cyan',
  running: 'cyan',
  waiting: 'yellow',
  asleep: 'yellow',
  done: 'green',
  warning: 'yellow',
  failed: 'red',
  stopped: 'dim',
  lost: 'red',
}

/** Shape and word, so that colour is never the only sign. */
export function statusText(status: StatusWord, style: Style): string {
  return style(COLOURS[status], `${STATUS_SHAPES[status]} ${status}`)
}

/** The last line of `baton run`: what it came to, how long it took, what it cost. */
export function resultLine(run: RunView, style: Style): string {
  const { startedAt, finishedAt, storedAt } = run.ladder
  const parts = [style(COLOURS[run.status], `${STATUS_SHAPES[run.status]} ${printable(run.sentence)}`)]
  if (finishedAt !== null) parts.push(duration(finishedAt - (startedAt ?? storedAt)))
  const [tokensIn, tokensOut] = [run.usage?.inputTokens ?? 0, run.usage?.outputTokens ?? 0]
  if (tokensIn + tokensOut > 0)
    parts.push(`${tokensIn.toLocaleString('en')} tokens in, ${tokensOut.toLocaleString('en')} out`)
  if (run.usage?.costUsd) parts.push(money(run.usage.costUsd))
  return parts.join(style('dim', ' · '))
}

export function runTable(runs: RunSummary[], style: Style): string {
  return table(
    ['run', 'status', 'agent', 'machine', 'started', ''],
    runs.map((run) => [
      shortId(run.id),
      statusText(run.status, style),
      printable(run.agent.key),
      printable(run.machine.name),
      ago(run.ladder.storedAt),
      clip(printable(run.job ? `${run.job.key}: ${run.promptStart}` : run.promptStart), 60),
    ]),
    style,
  )
}

/** The delivery ladder: each step with the time since the one before it. */
export function ladderRows(run: RunView): string[][] {
  const steps: [string, number | null][] = [
    ['stored', run.ladder.storedAt],
    ['leased', run.ladder.leasedAt],
    ['accepted', run.ladder.acceptedAt],
    ['started', run.ladder.startedAt],
    ['first output', run.ladder.firstOutputAt],
    ['finished', run.ladder.finishedAt],
  ]
  let before: number | null = null
  return steps.map(([name, at]) => {
    const took = at === null || before === null ? '' : `+${duration(at - before)}`
    if (at !== null) before = at
    return [name, at === null ? '–' : localTime(at).slice(-8), took]
  })
}

export function runText(run: RunView, url: string, style: Style): string {
  const facts = [
    `${style('bold', run.id)}  ${statusText(run.status, style)}  ${style('dim', url)}`,
    `  ${printable(run.sentence)}`,
    `  ${printable(run.agent.key)} on ${printable(run.machine.name)}${run.workspace ? `, in ${printable(run.workspace)}` : ''}${run.job ? `, job ${run.job.key}` : ''}, try ${run.attempt}`,
    `  ${style('dim', clip(printable(run.prompt), 200))}`,
  ]
  if (run.message) facts.push(`  ${printable(run.message)}`)
  facts.push(
    table(
      ['', '', ''],
      ladderRows(run).map((row) => ['  ', ...row]),
      style,
    )
      .split('\n')
      .slice(1)
      .join('\n'),
  )
  facts.push(`  ${run.transcript.sentence}`)
  if (run.changes) facts.push(`  ${sumLine(run.changes, style)}${undoneText(run)}`)
  for (const one of run.dispatches)
    facts.push(
      `  ${dispatchWord(one.state, style)} ${one.kind} to ${printable(one.target)}: ${printable(one.sentence)}`,
    )
  if (run.result) facts.push('', printable(run.result))
  return facts.join('\n')
}

function undoneText({ undo }: RunView): string {
  if (!undo) return ''
  if (undo.state === 'asked') return ` · the ${undo.kind} waits for its machine`
  if (undo.state === 'refused') return ` · the last ${undo.kind} was refused`
  return undo.kind === 'undo' ? ' · undone' : ''
}
