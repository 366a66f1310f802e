import type { UsageRow, UsageView } from '@baton/protocol'
import { Link } from '@tanstack/react-router'
import { formatUsd } from '../elements/budget-fields.tsx'
import { formatCount } from '../elements/format.ts'
import { tokensOf } from './usage-chart.tsx'

const NONE: Partial<Record<UsageView['by'], string>> = {
  job: 'runs without a job',
  model: 'model not known',
}

/** What each agent, job, machine or model used, most tokens first. */
export function UsageTable({ view, label }: { view: UsageView; label: string }) {
  if (view.rows.length === 0)
    return <p className="card border-dashed px-4 py-3 text-soft">Nothing was used.</p>
  const rows = view.rows.toSorted((one, other) => tokensOf(other) - tokensOf(one))
  const most = Math.max(...rows.map(tokensOf), 0)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section className="card overflow-x-auto" tabIndex={0} aria-label={label}>
      <table className="w-full text-[13px] tabular-nums sm:min-w-md">
        <caption className="sr-only">{label}</caption>
        <thead>
          <tr className="text-left text-soft">
            <th className="px-4 py-2 font-medium capitalize">{view.by}</th>
            <th className="px-2 py-2 text-right font-medium max-sm:hidden">Runs</th>
            <th className="px-2 py-2 text-right font-medium sm:hidden">Tokens</th>
            <th className="px-2 py-2 text-right font-medium max-sm:hidden">Tokens in</th>
            <th className="px-2 py-2 text-right font-medium max-sm:hidden">out</th>
            <th className="px-4 py-2 text-right font-medium">Cost</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id ?? row.name ?? 'none'} className="border-t border-line">
              <th scope="row" className="max-w-48 truncate px-4 py-2 text-left font-medium">
                <Name by={view.by} row={row} />
                <span aria-hidden className="mt-1 block h-1 rounded-full bg-sunk">
                  <span
                    className="block h-full rounded-full bg-accent"
                    style={{ width: `${most === 0 ? 0 : (tokensOf(row) / most) * 100}%` }}
                  />
                </span>
              </th>
              <td className="px-2 py-2 text-right max-sm:hidden">{formatCount(row.runs)}</td>
              <td className="px-2 py-2 text-right sm:hidden">{formatCount(tokensOf(row))}</td>
              <td className="px-2 py-2 text-right max-sm:hidden">{formatCount(row.inputTokens)}</td>
              <td className="px-2 py-2 text-right max-sm:hidden">{formatCount(row.outputTokens)}</td>
              <td className="px-4 py-2 text-right whitespace-nowrap">
                <Cost of={row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Name({ by, row }: { by: UsageView['by']; row: UsageRow }) {
  const name = row.name ?? row.id ?? NONE[by] ?? 'none'
  const look = 'text-accent hover:underline'
  if (row.id !== null && by === 'agent')
    return (
      <Link to="/agents/$agent" params={{ agent: row.id }} className={look}>
        {name}
      </Link>
    )
  if (row.id !== null && by === 'job')
    return (
      <Link to="/jobs/$job" params={{ job: row.id }} className={look}>
        {name}
      </Link>
    )
  return name
}

/** Money is only as known as the agents told it. */
function Cost({ of: { runs, runsWithoutCost, costUsd } }: { of: UsageRow }) {
  if (runs > 0 && runs === runsWithoutCost) return 'not told'
  return (
    <>
      {formatUsd(costUsd)}
      {runsWithoutCost > 0 && (
        <span title={`${formatCount(runsWithoutCost)} runs told no cost`}>
          {' '}
          +<span className="max-sm:sr-only"> {formatCount(runsWithoutCost)} not told</span>
        </span>
      )}
    </>
  )
}
