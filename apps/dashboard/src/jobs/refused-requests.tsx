import type { JobView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/api-context.ts'
import { formatBytes, plural } from '../elements/format.ts'
import { Section } from '../elements/page.tsx'
import { Ago } from '../elements/time.tsx'
import { refusedQuery } from './job-queries.ts'

/** Why nothing happened: requests at its addresses that were refused, and so are no events. */
export function RefusedRequests({ job }: { job: JobView }) {
  const { client } = useApi()
  const hooks = job.triggers.some(({ kind }) => kind === 'webhook')
  const refused = useQuery({ ...refusedQuery(client, job.id), enabled: hooks })
  const paths = refused.data?.filter(({ count }) => count > 0) ?? []
  if (paths.length === 0) return null
  return (
    <Section title="Refused requests of the last hour">
      {paths.map(({ path, count, requests }) => (
        <div key={path} className="card border-warn/50">
          <p className="px-4 py-2.5">
            <span aria-hidden className="text-warn">
              ▲{' '}
            </span>
            {plural(count, 'request')} to <code className="font-mono break-all">/hooks/{path}</code> started
            nothing:
          </p>
          <ul aria-label="Refused requests" className="divide-y divide-line border-t border-line text-[13px]">
            {requests.slice(0, 5).map((request) => (
              <li key={`${request.at} ${request.type}`} className="px-4 py-2">
                <details>
                  <summary className="min-h-6">
                    <Ago at={request.at} />: <strong className="font-medium">{request.status}</strong>{' '}
                    {request.detail}
                  </summary>
                  <dl className="mt-1 rounded-lg bg-sunk p-2 font-mono text-[12.5px]">
                    {Object.entries(request.headers).map(([name, value]) => (
                      <div key={name} className="break-all">
                        <dt className="inline text-soft">{name}: </dt>
                        <dd className="inline">{value}</dd>
                      </div>
                    ))}
                    {request.bytes !== null && (
                      <div>
                        <dt className="inline text-soft">body: </dt>
                        <dd className="inline">{formatBytes(request.bytes)}</dd>
                      </div>
                    )}
                  </dl>
                </details>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </Section>
  )
}
