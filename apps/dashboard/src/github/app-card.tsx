import type { GithubAppView } from '@baton/protocol'
import { RotateCw } from 'lucide-react'
import { useState } from 'react'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { ConfirmDialog, Problem } from '../elements/dialog.tsx'
import { Ago } from '../elements/time.tsx'
import { AppHealth } from './app-health.tsx'
import { LinkButton } from './connect-github.tsx'
import { Installations } from './installations.tsx'

/** One App: what arrives from it, whether it is well, where it is installed, and what can be done. */
export function AppCard({ app }: { app: GithubAppView }) {
  const redeliver = useAction('asking for missed deliveries', (api, id: string) =>
    api.integrations.github.redeliver.mutate({ id }),
  )
  const [removing, setRemoving] = useState(false)
  return (
    <article className="card">
      <div className="flex flex-wrap items-start justify-between gap-3 px-4 py-3">
        <div className="min-w-0">
          <h2 className="truncate text-base font-semibold">{app.name}</h2>
          <p className="text-[13px] text-soft">
            {new URL(app.webUrl).host} · App {app.appId}
          </p>
        </div>
        <LinkButton href={app.installUrl}>Choose repositories</LinkButton>
      </div>
      <Facts app={app} />
      <div className="grid border-t border-line lg:grid-cols-2 lg:divide-x lg:divide-line">
        <AppHealth app={app} />
        <Installations app={app} />
      </div>
      <div className="space-y-2 border-t border-line px-4 py-2">
        <Problem text={redeliver.problem} />
        <div className="flex flex-wrap items-center justify-between gap-2">
          <Button
            small
            icon={<RotateCw size={14} aria-hidden />}
            disabled={redeliver.busy}
            onClick={() => redeliver.start(app.id)}
          >
            {redeliver.busy ? 'Looking…' : 'Look for missed deliveries'}
          </Button>
          <Button small look="bare" onClick={() => setRemoving(true)}>
            Remove
          </Button>
        </div>
      </div>
      {removing && <RemoveApp app={app} onClose={() => setRemoving(false)} />}
    </article>
  )
}

function Facts({ app }: { app: GithubAppView }) {
  const { reconciliation, deliveries, lastDeliveryAt } = app
  return (
    <dl className="grid grid-cols-2 gap-x-4 gap-y-2 border-t border-line px-4 py-3 text-[13px] sm:grid-cols-4">
      <Fact name="Last delivery">{lastDeliveryAt === null ? 'none yet' : <Ago at={lastDeliveryAt} />}</Fact>
      <Fact name="In a day">{deliveries.day}</Fact>
      <Fact name="Being decided">{deliveries.waiting}</Fact>
      <Fact name="Missed">
        {reconciliation === null ? (
          'not looked yet'
        ) : (
          <span className={reconciliation.error !== null || reconciliation.missing > 0 ? 'text-warn' : ''}>
            {reconciliation.error === null ? reconciliation.missing : 'could not look'} ·{' '}
            <Ago at={reconciliation.at} />
          </span>
        )}
      </Fact>
    </dl>
  )
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-soft">{name}</dt>
      <dd className="font-medium tabular-nums">{children}</dd>
    </div>
  )
}

function RemoveApp({ app, onClose }: { app: GithubAppView; onClose: () => void }) {
  const remove = useAction('removing the App', (api, id: string) =>
    api.integrations.github.remove.mutate({ id }),
  )
  return (
    <ConfirmDialog
      title={`Remove ${app.name}?`}
      confirm="Remove it"
      busy={remove.busy}
      problem={remove.problem}
      onConfirm={() => remove.start(app.id, onClose)}
      onClose={onClose}
    >
      <p>Its triggers fire nothing any more, and its keys are deleted here. Its events stay.</p>
      <p>
        The App itself stays on GitHub until you delete it there:{' '}
        <a className="text-accent underline" href={app.settingsUrl} target="_blank" rel="noreferrer">
          its settings
        </a>
        .
      </p>
    </ConfirmDialog>
  )
}
