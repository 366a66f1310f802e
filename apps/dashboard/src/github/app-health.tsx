import type { GithubAppView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/api-context.ts'
import { Loaded } from '../elements/page.tsx'
import { Mark } from '../elements/status-mark.tsx'
import { githubDoctorQuery } from './github-queries.ts'

/** Everything that can be wrong between GitHub and the relay, one line each, with what to do. */
export function AppHealth({ app }: { app: GithubAppView }) {
  const { client } = useApi()
  const checks = useQuery(githubDoctorQuery(client, app.id))
  return (
    <section aria-label={`Health of ${app.name}`} className="min-w-0 px-4 py-3">
      <h3 className="mb-2 text-[13px] font-semibold text-soft">Health</h3>
      <Loaded answer={checks} of="its health">
        {(all) => (
          <ul className="space-y-2 text-[13px]">
            {all.map((check) => (
              <li key={check.name} className="break-words">
                <Mark shape={check.ok ? '✓' : '✕'} tone={check.ok ? 'good' : 'bad'} label={check.name} />{' '}
                <span>{check.what}</span>
                {check.unblock !== null && <span className="block text-soft">{check.unblock}</span>}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </section>
  )
}
