import { BatonError, type StageName, type StagesView } from '@baton/protocol'
import { printable } from './printable.ts'
import type { Session } from './session.ts'
import { duration, localTime, table } from './text.ts'

const NAMES: Record<StageName, string> = {
  stored_leased: 'stored → leased',
  leased_accepted: 'leased → on its disk',
  accepted_started: 'on its disk → started',
  started_first_output: 'started → first output',
  first_output_consumed: 'first output → prompt read',
  consumed_finished: 'prompt read → finished',
  stored_finished: 'the whole way',
}

type Options = { machine?: string; job?: string; days: string }

export async function showStages(session: Session, _args: string[], options: Options): Promise<void> {
  const days = Number(options.days)
  if (!(days > 0 && days <= 3_650))
    throw new BatonError('bad_input', `--days ${options.days}: give a number of days, up to 3650.`)
  if (options.machine && options.job) throw new BatonError('bad_input', 'Give --machine or --job, not both.')
  const baton = await session.baton()
  const view = await baton.organization.stages({
    ...(options.machine ? { machineId: options.machine } : {}),
    ...(options.job ? { jobId: options.job } : {}),
    sinceMs: Math.max(60_000, Math.round(days * 86_400_000)),
  })
  session.print(view, () => stagesText(view, session))
  if (view.runs === 0) session.note('No runs in that time.')
}

function stagesText(view: StagesView, { out }: Session): string {
  if (view.runs === 0) return ''
  const what = view.machine ? view.machine.name : view.job ? `job ${view.job.key}` : 'all machines'
  const time = (ms: number | null) => (ms === null ? '–' : duration(ms))
  const rows = view.stages.map(({ stage, count, p50, p95, p99 }) => [
    NAMES[stage],
    String(count),
    time(p50),
    time(p95),
    time(p99),
  ])
  const which = view.isCapped ? `the newest ${view.runs} runs` : `${view.runs} runs`
  return [
    `${out('bold', printable(what))}, ${which} since ${localTime(view.since)}`,
    table(['stage', 'runs', 'p50', 'p95', 'p99'], rows, out),
  ].join('\n')
}
