import type { AgentView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { ConfirmDialog, Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'
import { Loaded, Section } from '../elements/page.tsx'
import { Ago } from '../elements/time.tsx'
import { secretsQuery } from './agent-queries.ts'

/** Names of the values in its environment. A value goes in and is never shown again. */
export function AgentSecrets({ agent }: { agent: AgentView }) {
  const { client } = useApi()
  const secrets = useQuery(secretsQuery(client, agent.key))
  const [setting, setSetting] = useState<string | null>(null)
  const [removing, setRemoving] = useState<string | null>(null)
  const remove = useAction('deleting the secret', (api, name: string) =>
    api.secrets.delete.mutate({ agent: agent.key, name }),
  )
  return (
    <Section
      title="Secrets"
      aside={
        <Button small onClick={() => setSetting('')}>
          Add a secret
        </Button>
      }
    >
      <Loaded answer={secrets} of="the secrets">
        {(all) =>
          all.length === 0 ? (
            <p className="card border-dashed px-4 py-3 text-soft">
              None. A secret is a value in the environment of its runs, such as a token.
            </p>
          ) : (
            <ul aria-label="Secrets" className="card divide-y divide-line">
              {all.map(({ name, updatedAt }) => (
                <li key={name} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2">
                  <code className="min-w-0 flex-1 basis-40 font-mono text-[13px] break-all">{name}</code>
                  <span className="text-[13px] text-soft">
                    set <Ago at={updatedAt} />
                  </span>
                  <span className="flex">
                    <Button small look="bare" aria-label={`Replace ${name}`} onClick={() => setSetting(name)}>
                      Replace
                    </Button>
                    <Button
                      small
                      look="bareDanger"
                      aria-label={`Delete ${name}`}
                      onClick={() => setRemoving(name)}
                    >
                      Delete…
                    </Button>
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {setting !== null && <SetSecret agent={agent} name={setting} onClose={() => setSetting(null)} />}
      {removing !== null && (
        <ConfirmDialog
          title={`Delete ${removing}?`}
          confirm="Delete the secret"
          busy={remove.busy}
          problem={remove.problem}
          onConfirm={() => remove.start(removing, () => setRemoving(null))}
          onClose={() => setRemoving(null)}
        >
          <p>Later runs of {agent.key} start without it. What runs now keeps it.</p>
        </ConfirmDialog>
      )}
    </Section>
  )
}

function SetSecret({ agent, name: first, onClose }: { agent: AgentView; name: string; onClose: () => void }) {
  const [name, setName] = useState(first)
  const [value, setValue] = useState('')
  const set = useAction('storing the secret', (api, input: { name: string; value: string }) =>
    api.secrets.set.mutate({ agent: agent.key, ...input }),
  )
  return (
    <Dialog title={first ? `Replace ${first}` : 'Add a secret'} onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          set.start({ name, value }, onClose)
        }}
      >
        {!first && (
          <Field label="Name" hint="Of the environment variable.">
            <input
              className="field font-mono"
              required
              data-focus
              autoComplete="off"
              placeholder="DEPLOY_TOKEN"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          </Field>
        )}
        <Field label="Value" hint="It is stored encrypted and shown to nobody.">
          <input
            className="field font-mono"
            type="password"
            required
            autoComplete="new-password"
            data-focus={first ? true : undefined}
            value={value}
            onChange={(event) => setValue(event.target.value)}
          />
        </Field>
        <Problem text={set.problem} />
        <FormEnd onCancel={onClose} busy={set.busy} submit="Store it" />
      </form>
    </Dialog>
  )
}
