import { BatonError, USAGE_GROUPS, type UsageGroup, type UsageTotals, type UsageView } from '@baton/protocol'
import { printable } from './printable.ts'
import type { Session } from './session.ts'
import { money, table } from './text.ts'

type Options = { by: string; since?: string; until?: string; agent?: string; job?: string }

const DAY_MS = 86_400_000

export async function showUsage(session: Session, _args: string[], options: Options): Promise<void> {
  const by = USAGE_GROUPS.find((one) => one === options.by)
  if (!by) throw new BatonError('bad_input', `--by ${options.by}: choose from ${USAGE_GROUPS.join(', ')}.`)
  const since = options.since === undefined ? undefined : readDay('--since', options.since)
  const until = options.until === undefined ? undefined : readDay('--until', options.until)
  const baton = await session.baton()
  const usage = await baton.usage.sum({
    by,
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
    ...(options.agent ? { agent: options.agent } : {}),
    ...(options.job ? { job: options.job } : {}),
  })
  session.print(usage, () => usageTable(usage, session))
  session.note(`${usage.since} to ${usage.until} (days of UTC)${missing(usage.total)}`)
}

function usageTable({ by, rows, total }: UsageView, { out }: Session): string {
  if (rows.length === 0) return 'Nothing was used.'
  const cells = (name: string, row: UsageTotals) => [
    name,
    String(row.runs),
    row.inputTokens.toLocaleString('en'),
    row.cachedTokens.toLocaleString('en'),
    row.outputTokens.toLocaleString('en'),
    moneyOf(row),
  ]
  const lines = rows.map((row) => cells(printable(row.name ?? row.id ?? NONE[by]), row))
  const sum = rows.length > 1 ? [cells('all', total)] : []
  return table([by, 'runs', 'in', 'of it cached', 'out', 'cost'], [...lines, ...sum], out)
}

/** What stands for runs that belong to none. */
const NONE: Record<UsageGroup, string> = {
  agent: '-',
  job: '(no job)',
  model: '(not said)',
  day: '-',
  machine: '-',
}

function moneyOf({ runs, runsWithoutCost, costUsd }: UsageTotals): string {
  if (runsWithoutCost === runs) return 'not said'
  return `${runsWithoutCost > 0 ? '≥ ' : ''}${money(costUsd)}`
}

const missing = ({ runsWithoutCost }: UsageTotals) =>
  runsWithoutCost === 0 ? '' : `; the agents of ${runsWithoutCost} runs named tokens and no money`

/** A day, or `7d`: the last seven with today. */
function readDay(flag: string, text: string): string {
  const count = /^(\d{1,4})d$/.exec(text)?.[1]
  if (count && Number(count) > 0)
    return new Date(Date.now() - (Number(count) - 1) * DAY_MS).toISOString().slice(0, 10)
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return text
  throw new BatonError('bad_input', `${flag} ${text}: give a day like 2026-11-20, or 7d.`)
}
