import type { MachineView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { machinesQuery } from '../api/queries.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'
import { MachineMark } from '../elements/status-mark.tsx'
import { MachineKey } from './machine-key.tsx'

type Added = { machine: MachineView; key: string }

/** Registers a machine, shows its key once, and turns live when its runner connects. */
export function AddMachine({ onClose }: { onClose: () => void }) {
  const [added, setAdded] = useState<Added | null>(null)
  return (
    <Dialog
      title={added ? `Connect ${added.machine.name}` : 'Add a machine'}
      onClose={onClose}
      wide={added !== null}
    >
      {added ? <Connect added={added} onClose={onClose} /> : <Form onAdded={setAdded} onClose={onClose} />}
    </Dialog>
  )
}

function Form({ onAdded, onClose }: { onAdded: (added: Added) => void; onClose: () => void }) {
  const [name, setName] = useState('')
  const create = useAction('adding the machine', (api, input: string) =>
    api.machines.create.mutate({ name: input }),
  )
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault()
        create.start(name.trim(), onAdded)
      }}
    >
      <Field label="Name" hint="As people will know this computer.">
        <input
          className="field"
          required
          data-focus
          maxLength={60}
          value={name}
          placeholder="annas-laptop"
          onChange={(event) => setName(event.target.value)}
        />
      </Field>
      <Problem text={create.problem} />
      <FormEnd onCancel={onClose} busy={create.busy} submit="Add it" />
    </form>
  )
}

function Connect({ added, onClose }: { added: Added; onClose: () => void }) {
  const { client } = useApi()
  const machines = useQuery(machinesQuery(client))
  const now = machines.data?.find(({ id }) => id === added.machine.id) ?? added.machine
  return (
    <div className="space-y-4">
      <MachineKey machineKey={added.key} />
      <p role="status" className="flex flex-wrap items-center gap-2">
        <MachineMark state={now.state} />
        {now.state === 'online' ? 'It is connected.' : 'Waiting for its runner to connect…'}
      </p>
      <div className="flex justify-end">
        <Button look="main" onClick={onClose}>
          Done
        </Button>
      </div>
    </div>
  )
}
