import type { StageName, StagesView } from '@baton/protocol'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { useApi } from '../api/api-context.ts'
import type { Client } from '../api/client.ts'
import { CardPart } from '../elements/facts.tsx'
import { formatDuration, plural } from '../elements/format.ts'

type Filter = { machineId: string } | { jobId: string }

const stagesQuery = (client: Client, filter: Filter) =>
  queryOptions({
    queryKey: ['stages', filter],
    queryFn: ({ signal }) => client.stages.get.query(filter, { signal }),
    staleTime: 60_000,
  })

const NAMES: Record<StageName, string> = {
  stored_leased: 'Queued',
  leased_accepted: 'Handed over',
  accepted_started: 'Preparing',
  started_first_output: 'Starting',
  first_output_consumed: 'Reading the prompt',
  consumed_finished: 'Working',
  stored_finished: 'All of it',
}

/** How long each step took lately: half of the runs were faster than the first figure, all but one in twenty than the second. */
export function StageTimes({ filter }: { filter: Filter }) {
  const { client } = useApi()
  const { data } = useQuery(stagesQuery(client, filter))
  if (data === undefined || data.runs === 0) return null
  return (
    <div className="card">
      <CardPart title="How long it took, in 7 days">
        <Table view={data} />
        <p className="mt-1.5 text-[13px] text-soft">
          Of {data.isCapped ? 'the newest ' : ''}
          {plural(data.runs, 'run')}.
        </p>
      </CardPart>
    </div>
  )
}

function Table({ view }: { view: StagesView }) {
  const shown = view.stages.filter(({ p50 }) => p50 !== null)
  const most = Math.max(...shown.map(({ p95 }) => p95 ?? 0), 1)
  return (
    <table className="w-full text-[13px] tabular-nums">
      <thead>
        <tr className="text-left text-soft">
          <th className="font-normal">Step</th>
          <th className="px-2 text-right font-normal">half within</th>
          <th className="text-right font-normal" title="19 of 20 runs">
            95 % within
          </th>
        </tr>
      </thead>
      <tbody>
        {shown.map(({ stage, p50, p95 }) => (
          <tr key={stage} className={stage === 'stored_finished' ? 'border-t border-line font-medium' : ''}>
            <th
              scope="row"
              className={`py-0.5 text-left ${stage === 'stored_finished' ? 'font-medium' : 'font-normal'}`}
            >
              {NAMES[stage]}
              <span aria-hidden className="mt-0.5 block h-1 rounded-full bg-sunk">
                <span
                  className="block h-full rounded-full bg-accent"
                  style={{ width: `${Math.max(1, ((p95 ?? 0) / most) * 100)}%` }}
                />
              </span>
            </th>
            <td className="px-2 text-right whitespace-nowrap">{formatDuration(p50 ?? 0)}</td>
            <td className="text-right whitespace-nowrap">{formatDuration(p95 ?? 0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
