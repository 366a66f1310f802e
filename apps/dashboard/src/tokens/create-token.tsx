import { TOKEN_SCOPES, type TokenScope } from '@baton/protocol'
import { useState } from 'react'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { CopyLine } from '../elements/copy-button.tsx'
import { Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'
import { SCOPE_WORDS } from './scope-words.ts'

/** Makes a token and shows it this once. */
export function CreateToken({ onClose }: { onClose: () => void }) {
  const [secret, setSecret] = useState<string | null>(null)
  return (
    <Dialog title={secret ? 'Your new token' : 'New API token'} onClose={onClose}>
      {secret ? (
        <div className="space-y-4">
          <div className="space-y-2 rounded-xl border border-warn/50 bg-warn-soft/60 p-3">
            <p className="font-medium">Copy it now. It is shown once.</p>
            <CopyLine text={secret} />
            <p className="text-[13px] text-soft">
              Programs find it in BATON_TOKEN; over HTTP it goes into the header “Authorization: Bearer …”.
            </p>
          </div>
          <div className="flex justify-end">
            <Button look="main" onClick={onClose}>
              I have it
            </Button>
          </div>
        </div>
      ) : (
        <Form onMade={setSecret} onClose={onClose} />
      )}
    </Dialog>
  )
}

function Form({ onMade, onClose }: { onMade: (secret: string) => void; onClose: () => void }) {
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<TokenScope[]>(['read', 'run'])
  const create = useAction('making the token', (api, input: { name: string; scopes: TokenScope[] }) =>
    api.tokens.create.mutate(input),
  )
  const toggle = (scope: TokenScope, isOn: boolean) =>
    setScopes((now) => TOKEN_SCOPES.filter((one) => (one === scope ? isOn : now.includes(one))))
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        create.start({ name: name.trim(), scopes }, (made) => onMade(made.secret))
      }}
    >
      <Field label="Name" hint="What uses it, such as ci or nightly-report.">
        <input
          className="field"
          required
          data-focus
          maxLength={100}
          value={name}
          placeholder="ci"
          onChange={(event) => setName(event.target.value)}
        />
      </Field>
      <fieldset className="space-y-2">
        <legend className="mb-1 font-medium">It may</legend>
        {TOKEN_SCOPES.map((scope) => (
          <label key={scope} className="flex items-start gap-2.5">
            <input
              type="checkbox"
              className="mt-1 size-4 shrink-0"
              checked={scopes.includes(scope)}
              onChange={(event) => toggle(scope, event.target.checked)}
            />
            <span>
              <span className="font-mono font-semibold">{scope}</span>{' '}
              <span className="text-soft">{SCOPE_WORDS[scope]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <Problem text={scopes.length === 0 ? 'Choose at least one.' : create.problem} />
      <FormEnd onCancel={onClose} busy={create.busy} blocked={scopes.length === 0} submit="Make it" />
    </form>
  )
}
