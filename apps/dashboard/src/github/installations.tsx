import type { GithubAppView, GithubInstallationView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/api-context.ts'
import { Loaded } from '../elements/page.tsx'
import { githubInstallationsQuery, githubRepositoriesQuery } from './github-queries.ts'

/** Where an App is installed and which repositories it may see, asked of GitHub. */
export function Installations({ app }: { app: GithubAppView }) {
  const { client } = useApi()
  const installations = useQuery(githubInstallationsQuery(client, app.id))
  return (
    <section
      aria-label={`Installations of ${app.name}`}
      className="min-w-0 border-t border-line px-4 py-3 lg:border-t-0"
    >
      <h3 className="mb-2 text-[13px] font-semibold text-soft">Installed on</h3>
      <Loaded answer={installations} of="its installations">
        {(all) =>
          all.length === 0 ? (
            <p className="text-[13px] text-soft">Nowhere yet: choose repositories with the button above.</p>
          ) : (
            <ul className="space-y-3 text-[13px]">
              {all.map((installation) => (
                <li key={installation.id}>
                  <Installation app={app} installation={installation} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  )
}

function Installation({ app, installation }: { app: GithubAppView; installation: GithubInstallationView }) {
  const { client } = useApi()
  const repositories = useQuery({
    ...githubRepositoriesQuery(client, app.id, installation.id),
    enabled: !installation.suspended,
  })
  return (
    <details open>
      <summary className="cursor-pointer font-medium">
        {installation.account}{' '}
        <span className="font-normal text-soft">
          {installation.suspended
            ? 'suspended on GitHub'
            : installation.repositorySelection === 'all'
              ? 'all repositories'
              : 'chosen repositories'}
        </span>
      </summary>
      {!installation.suspended && (
        <Loaded answer={repositories} of={`the repositories of ${installation.account}`}>
          {({ items, total }) => (
            <ul className="mt-1 space-y-0.5 pl-4">
              {items.map((repository) => (
                <li key={repository.id} className="break-words">
                  <a
                    href={repository.url}
                    target="_blank"
                    rel="noreferrer"
                    className="hover:text-accent hover:underline"
                  >
                    {repository.fullName}
                  </a>{' '}
                  <span className="text-soft">{repository.defaultBranch}</span>
                </li>
              ))}
              {total > items.length && <li className="text-soft">and {total - items.length} more</li>}
            </ul>
          )}
        </Loaded>
      )}
    </details>
  )
}
