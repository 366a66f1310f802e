import { useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { Button } from '../elements/button.tsx'
import { CopyLine } from '../elements/copy-button.tsx'
import { Empty, Loaded, Page } from '../elements/page.tsx'
import { AppCard } from './app-card.tsx'
import { ConnectGithub } from './connect-github.tsx'
import { githubAppsQuery } from './github-queries.ts'

/** The GitHub Apps of the organization: whether everything arrives, where they are installed, and how to connect one. */
export function GithubPage() {
  const { client } = useApi()
  const apps = useQuery(githubAppsQuery(client))
  const [connecting, setConnecting] = useState(false)
  return (
    <Page
      title="GitHub"
      lead="Comments, pushes and failed checks start runs; their progress is shown where they came from."
      actions={
        <Button look="main" icon={<Plus size={16} aria-hidden />} onClick={() => setConnecting(true)}>
          Connect GitHub
        </Button>
      }
    >
      <Loaded answer={apps} of="the GitHub Apps">
        {(all) =>
          all.length === 0 ? (
            <NoApps />
          ) : (
            <ul aria-label="GitHub Apps" className="space-y-5">
              {all.map((app) => (
                <li key={app.id} className="min-w-0">
                  <AppCard app={app} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {connecting && <ConnectGithub onClose={() => setConnecting(false)} />}
    </Page>
  )
}

function NoApps() {
  return (
    <Empty title="No GitHub App is connected.">
      <p className="text-soft">
        The button above makes one on GitHub that sends its events to this relay; GitHub must be able to reach
        the relay's address. Then let a job listen to it:
      </p>
      <CopyLine text='npx baton job create fix --agent claude --prompt "Do what the comment asks for" --on github:issue_comment --command /fix' />
    </Empty>
  )
}
