import type { GithubSetupView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { ExternalLink } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'
import { githubAppsQuery, githubSetupQuery } from './github-queries.ts'

type Wanted = { webUrl?: string; owner?: string; name?: string }

/** Asks who will own the App, opens GitHub's page for it, and waits until it is connected. */
export function ConnectGithub({ onClose }: { onClose: () => void }) {
  const [setup, setSetup] = useState<GithubSetupView | null>(null)
  return (
    <Dialog title="Connect GitHub" onClose={onClose}>
      {setup ? <Waiting setup={setup} onClose={onClose} /> : <Form onBegun={setSetup} onClose={onClose} />}
    </Dialog>
  )
}

function Form({ onBegun, onClose }: { onBegun: (setup: GithubSetupView) => void; onClose: () => void }) {
  const [owner, setOwner] = useState('')
  const [name, setName] = useState('')
  const [webUrl, setWebUrl] = useState('')
  const begin = useAction('preparing the App', (api, input: Wanted) =>
    api.integrations.github.beginSetup.mutate(input),
  )
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        const wanted = { owner: owner.trim(), name: name.trim(), webUrl: webUrl.trim() }
        begin.start(Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== '')), onBegun)
      }}
    >
      <Field label="Organization on GitHub" hint="Who will own the App. Leave it empty for your own account.">
        <input
          className="field"
          data-focus
          maxLength={39}
          value={owner}
          placeholder="acme"
          onChange={(event) => setOwner(event.target.value)}
        />
      </Field>
      <Field label="Name of the App" hint="It must be free on GitHub. Leave it empty to get one.">
        <input
          className="field"
          maxLength={34}
          value={name}
          placeholder="baton-acme"
          onChange={(event) => setName(event.target.value)}
        />
      </Field>
      <Field label="GitHub Enterprise Server" hint="Its address, when it is not github.com.">
        <input
          className="field"
          type="url"
          value={webUrl}
          placeholder="https://github.example.com"
          onChange={(event) => setWebUrl(event.target.value)}
        />
      </Field>
      <p className="text-[13px] text-soft">
        It may read and write code, issues, pull requests and checks of the repositories that you choose on
        GitHub, and nothing else.
      </p>
      <Problem text={begin.problem} />
      <FormEnd onCancel={onClose} busy={begin.busy} submit="Go on" />
    </form>
  )
}

function Waiting({ setup, onClose }: { setup: GithubSetupView; onClose: () => void }) {
  const { client, queryClient } = useApi()
  const state = useQuery(githubSetupQuery(client, setup.id))
  const app = state.data?.app ?? null
  useEffect(() => {
    if (app) void queryClient.invalidateQueries({ queryKey: githubAppsQuery(client).queryKey })
  }, [app, client, queryClient])
  return (
    <div className="space-y-4">
      {app ? (
        <p>
          <strong>{app.name}</strong> is connected. Now choose the repositories that it may see.
        </p>
      ) : (
        <p>GitHub asks once more what will be made. After that it sends you back here.</p>
      )}
      <LinkButton href={app ? app.installUrl : setup.url}>
        {app ? 'Choose repositories' : 'Open GitHub'}
      </LinkButton>
      <p role="status" className="text-soft">
        {app ? 'Connected.' : 'Waiting for GitHub…'}
      </p>
      <div className="flex justify-end">
        <Button onClick={onClose}>{app ? 'Done' : 'Close'}</Button>
      </div>
    </div>
  )
}

/** A link that leads to another site and looks like what it does. */
export function LinkButton({ href, children }: { href: string; children: string }) {
  return (
    <a
      href={href}
      target="_blank"
      rel="noreferrer"
      className="inline-flex min-h-9 items-center gap-1.5 rounded-lg border border-line-strong/60 bg-card px-3 font-medium hover:bg-hover"
    >
      {children}
      <ExternalLink size={14} aria-hidden />
      <span className="sr-only">(opens another page)</span>
    </a>
  )
}
