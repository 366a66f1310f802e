import type { MachineView } from '@baton/protocol'
import { Ellipsis } from 'lucide-react'
import { useState } from 'react'
import { useAction } from '../api/use-action.ts'
import { ConfirmDialog, Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'
import { Menu, MenuItem } from '../elements/menu.tsx'
import { MachineKey } from './machine-key.tsx'

type Open = 'rename' | 'rotate' | 'revoke' | 'archive' | null

/** What is seldom done with a machine, each asking first. */
export function MachineActions({ machine }: { machine: MachineView }) {
  const [open, setOpen] = useState<Open>(null)
  const close = () => setOpen(null)
  const gone = machine.state === 'revoked' || machine.state === 'archived'
  const drained = machine.drainingAt !== null
  const drain = useAction(
    drained ? 'resuming the machine' : 'draining the machine',
    (api, id: MachineView['id']) =>
      drained ? api.machines.resume.mutate({ id }) : api.machines.drain.mutate({ id }),
  )
  return (
    <>
      <Menu
        label={<span className="sr-only">More for {machine.name}</span>}
        icon={<Ellipsis size={16} aria-hidden />}
      >
        {!gone && (
          <MenuItem onClick={() => drain.start(machine.id)}>
            {drained ? 'Take work again' : 'Take no new work'}
          </MenuItem>
        )}
        <MenuItem onClick={() => setOpen('rename')}>Rename…</MenuItem>
        {machine.state !== 'archived' && <MenuItem onClick={() => setOpen('rotate')}>New key…</MenuItem>}
        {!gone && <MenuItem onClick={() => setOpen('revoke')}>Revoke its key…</MenuItem>}
        {machine.state !== 'archived' && <MenuItem onClick={() => setOpen('archive')}>Archive…</MenuItem>}
      </Menu>
      <Problem text={drain.problem} />
      {open === 'rename' && <Rename machine={machine} onClose={close} />}
      {open === 'rotate' && <Rotate machine={machine} onClose={close} />}
      {open === 'revoke' && <Revoke machine={machine} onClose={close} />}
      {open === 'archive' && <Archive machine={machine} onClose={close} />}
    </>
  )
}

type ActionProps = { machine: MachineView; onClose: () => void }

function Rename({ machine, onClose }: ActionProps) {
  const [name, setName] = useState(machine.name)
  const rename = useAction('renaming the machine', (api, input: string) =>
    api.machines.rename.mutate({ id: machine.id, name: input }),
  )
  return (
    <Dialog title={`Rename ${machine.name}`} onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          rename.start(name.trim(), onClose)
        }}
      >
        <Field label="Name">
          <input
            className="field"
            required
            data-focus
            maxLength={60}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </Field>
        <Problem text={rename.problem} />
        <FormEnd onCancel={onClose} busy={rename.busy} submit="Rename" />
      </form>
    </Dialog>
  )
}

function Rotate({ machine, onClose }: ActionProps) {
  const [key, setKey] = useState<string | null>(null)
  const rotate = useAction('making a new key', (api, id: MachineView['id']) =>
    api.machines.rotateKey.mutate({ id }),
  )
  if (key !== null) {
    return (
      <Dialog title={`New key of ${machine.name}`} onClose={onClose} wide>
        <MachineKey machineKey={key} />
      </Dialog>
    )
  }
  return (
    <ConfirmDialog
      title={`Make a new key for ${machine.name}?`}
      confirm="Make a new key"
      busy={rotate.busy}
      problem={rotate.problem}
      onConfirm={() => rotate.start(machine.id, (answer) => setKey(answer.key))}
      onClose={onClose}
    >
      <p>The old key stops working at once; the machine is offline until it has the new one.</p>
    </ConfirmDialog>
  )
}

function Revoke({ machine, onClose }: ActionProps) {
  const [typed, setTyped] = useState('')
  const revoke = useAction('revoking the key', (api, id: MachineView['id']) =>
    api.machines.revoke.mutate({ id }),
  )
  return (
    <ConfirmDialog
      title={`Revoke the key of ${machine.name}?`}
      confirm="Revoke the key"
      typed={{ value: typed, onChange: setTyped, expected: machine.name }}
      busy={revoke.busy}
      problem={revoke.problem}
      onConfirm={() => revoke.start(machine.id, onClose)}
      onClose={onClose}
    >
      <p>
        Its runner is cut off at once and gets no more work.{' '}
        {machine.live > 0 && `${machine.live} running now: `}
        {machine.live > 0 && 'what they still do is not reported.'}
      </p>
    </ConfirmDialog>
  )
}

function Archive({ machine, onClose }: ActionProps) {
  const archive = useAction('archiving the machine', (api, id: MachineView['id']) =>
    api.machines.archive.mutate({ id }),
  )
  return (
    <ConfirmDialog
      title={`Archive ${machine.name}?`}
      confirm="Archive the machine"
      busy={archive.busy}
      problem={archive.problem}
      onConfirm={() => archive.start(machine.id, onClose)}
      onClose={onClose}
    >
      <p>It leaves the lists and its key stops working. Its runs stay.</p>
    </ConfirmDialog>
  )
}
