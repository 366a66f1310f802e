import { type MachineView, type PermissionMode, type Runtime, STARTABLE_RUNTIMES } from '@baton/protocol'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'
import { inputProblems } from '../elements/input-problems.ts'
import { toKey } from '../jobs/to-key.ts'
import { ModeHint } from './policy-hint.tsx'

type Draft = {
  key: string
  runs: string
  instructions: string
  model: string
  permissionMode: PermissionMode
}

/** The button and form of a new agent on this machine, offering what is installed there. */
export function AddAgent({ machine }: { machine: MachineView }) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button small look="bare" icon={<Plus size={14} aria-hidden />} onClick={() => setOpen(true)}>
        Add an agent
      </Button>
      {open && <AddAgentForm machine={machine} onClose={() => setOpen(false)} />}
    </>
  )
}

/** What is installed on the machine, as an agent with a key of its own. */
export function AddAgentForm({ machine, onClose }: { machine: MachineView; onClose: () => void }) {
  const choices = choicesOf(machine)
  const [draft, setDraft] = useState<Draft>({
    key: '',
    runs: choices[0]?.value ?? '',
    instructions: '',
    model: '',
    permissionMode: 'edit',
  })
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }))
  const create = useAction('adding the agent', (api, input: Draft) => {
    const [runtime, command] = input.runs.split(' ') as [Runtime, string | undefined]
    return api.agents.create.mutate({
      key: toKey(input.key),
      machineId: machine.id,
      runtime,
      permissionMode: input.permissionMode,
      ...(command && { command }),
      ...(input.instructions && { instructions: input.instructions }),
      ...(input.model && { model: input.model }),
    })
  })
  const { general, at } = inputProblems(create.problem, (path) => path in draft)
  return (
    <Dialog title={`New agent on ${machine.name}`} onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          create.start(draft, onClose)
        }}
      >
        <Field label="Key" hint="Small letters, digits and dashes; commands use it." problem={at.key}>
          <input
            className="field"
            required
            data-focus
            pattern="[a-z0-9][a-z0-9\-]{0,39}"
            title="Small letters, digits and dashes"
            value={draft.key}
            placeholder="reviewer"
            onChange={(event) => change({ key: event.target.value })}
          />
        </Field>
        <Field
          label="Runs"
          hint={choices.length === 0 ? 'Nothing that can be run was found on that machine.' : undefined}
        >
          <select
            className="field"
            required
            value={draft.runs}
            onChange={(event) => change({ runs: event.target.value })}
          >
            {choices.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </Field>
        {!draft.runs.startsWith('command ') && (
          <Field
            label="Model"
            problem={at.model}
            hint={
              draft.runs === 'chat'
                ? 'Such as anthropic/<model>, openai/<model> or google/<model>.'
                : 'Empty: what the program itself chooses.'
            }
          >
            <input
              className="field"
              required={draft.runs === 'chat'}
              value={draft.model}
              onChange={(event) => change({ model: event.target.value })}
            />
          </Field>
        )}
        <Field label="May" hint={<ModeHint policy={machine.policy} mode={draft.permissionMode} />}>
          <select
            className="field"
            value={draft.permissionMode}
            onChange={(event) => change({ permissionMode: event.target.value as PermissionMode })}
          >
            <option value="read_only">only read</option>
            <option value="edit">edit files in its workspace</option>
            <option value="full">do everything without asking</option>
          </select>
        </Field>
        <Field label="Instructions" hint="Added to every prompt." problem={at.instructions}>
          <textarea
            className="field min-h-20"
            value={draft.instructions}
            onChange={(event) => change({ instructions: event.target.value })}
          />
        </Field>
        <Problem text={general} />
        <FormEnd onCancel={onClose} busy={create.busy} submit="Add it" />
      </form>
    </Dialog>
  )
}

const TAKES_COMMANDS: readonly Runtime[] = ['command', 'acp']

/** What the machine said it has: each program, and each command that its policy allows. */
function choicesOf(machine: MachineView): { value: string; label: string }[] {
  return machine.runtimes
    .filter(({ installed, runtime }) => installed && STARTABLE_RUNTIMES.includes(runtime))
    .flatMap(({ runtime, version, commands }) =>
      TAKES_COMMANDS.includes(runtime)
        ? commands.map((command) => ({
            value: `${runtime} ${command}`,
            label:
              runtime === 'acp' ? `${command}, over the Agent Client Protocol` : `the command ${command}`,
          }))
        : [{ value: runtime, label: [runtime, version].filter(Boolean).join(' ') }],
    )
}
