import type { JobView, SimulationView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { formatMoment, plural } from '../elements/format.ts'
import { Loaded } from '../elements/page.tsx'
import { simulationQuery } from './job-queries.ts'

/** Which of the last days' events this job would take as it is now, and how often its schedules fired. */
export function Simulation({ job }: { job: JobView }) {
  const { client } = useApi()
  const [open, setOpen] = useState(false)
  const [days, setDays] = useState(7)
  const answer = useQuery({ ...simulationQuery(client, job.id, days), enabled: open })
  return (
    <details className="card" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="flex min-h-11 items-center px-4 py-2.5 font-medium text-accent -outline-offset-2">
        What it would have done lately
      </summary>
      <div className="space-y-3 border-t border-line p-4">
        <label className="flex items-center gap-2 text-soft">
          Of the last
          <select
            className="field w-auto"
            value={days}
            onChange={(event) => setDays(Number(event.target.value))}
          >
            <option value={1}>day</option>
            <option value={3}>3 days</option>
            <option value={7}>7 days</option>
          </select>
        </label>
        {open && (
          <Loaded answer={answer} of="what it would have done">
            {(view) => <Simulated view={view} />}
          </Loaded>
        )}
      </div>
    </details>
  )
}

function Simulated({ view }: { view: SimulationView }) {
  return (
    <div className="space-y-3">
      <p>
        It would take {view.fires} of {plural(view.events.length, 'event')}
        {view.isCapped && ' (the newest were looked at)'}.
        {view.slots.map(({ triggerId, count, isCapped }) => (
          <span key={triggerId}>
            {' '}
            Its schedule had {plural(count, 'time')}
            {isCapped && ' or more'}.
          </span>
        ))}
      </p>
      {view.events.length > 0 && (
        <div
          className="max-h-96 overflow-auto rounded-lg border border-line"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
          tabIndex={0}
        >
          <table className="w-full min-w-96 text-[13px]">
            <thead>
              <tr className="bg-sunk text-left text-soft">
                <th className="px-3 py-1.5 font-medium">Event</th>
                <th className="px-3 py-1.5 font-medium">Then</th>
                <th className="px-3 py-1.5 font-medium">Now it would</th>
              </tr>
            </thead>
            <tbody>
              {view.events.map((event) => (
                <tr key={event.id} className="border-t border-line align-top">
                  <td className="px-3 py-1.5">
                    <Link
                      to="/events/$event"
                      params={{ event: event.id }}
                      className="font-medium text-accent hover:underline"
                    >
                      {event.source.replaceAll('_', ' ')}
                    </Link>{' '}
                    <span className="text-soft">{formatMoment(event.receivedAt)}</span>
                  </td>
                  <td className="px-3 py-1.5">{event.fired ? 'fired' : 'nothing'}</td>
                  <td className={`px-3 py-1.5 ${event.fires === event.fired ? '' : 'font-medium text-warn'}`}>
                    {event.fires ? 'fire' : (event.message ?? 'not fire')}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  )
}
