import type { OutputView } from '@baton/protocol'
import { useState } from 'react'
import { useAction } from '../api/use-action.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { Dialog, Problem } from '../elements/dialog.tsx'
import { FormEnd } from '../elements/field.tsx'
import { draftOfOutput, newOutput, type OutputDraft, outputProblems, toOutputInput } from './output-draft.ts'
import { OutputFieldset } from './output-fieldset.tsx'

type FormProps = { jobId: string; output: OutputView | null; onClose: () => void }

/** Adds an output to a job, or changes one. A signing secret that the relay made is shown here once. */
export function OutputForm({ jobId, output, onClose }: FormProps) {
  const [draft, setDraft] = useState(() => (output ? draftOfOutput(output) : newOutput('email')))
  const [secret, setSecret] = useState<string | null>(null)
  const save = useAction('saving the output', async (api, said: OutputDraft): Promise<string | null> => {
    if (output === null) {
      return (await api.outputs.create.mutate({ job: jobId, ...toOutputInput(said) })).secret
    }
    const { kind: _, ...changes } = toOutputInput(said, output)
    return api.outputs.update.mutate({ id: output.id, ...changes }).then(() => null)
  })
  const close = (made: string | null) => (made === null ? onClose() : setSecret(made))
  if (secret !== null)
    return (
      <Dialog title="The output was added" onClose={onClose}>
        <OutputSecret secret={secret} />
      </Dialog>
    )
  const isSaid = Object.keys(outputProblems(save.problem, draft.kind)).length > 0
  return (
    <Dialog title={output ? 'Change the output' : 'Add an output'} onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          save.start(draft, close)
        }}
      >
        <OutputFieldset draft={draft} onChange={setDraft} stored={output !== null} problem={save.problem} />
        <Problem text={isSaid ? null : save.problem} />
        <FormEnd onCancel={onClose} busy={save.busy} submit={output ? 'Save' : 'Add'} />
      </form>
    </Dialog>
  )
}

export function OutputSecret({ secret }: { secret: string }) {
  return (
    <div className="space-y-2 rounded-xl border border-warn/50 bg-warn-soft/60 p-3">
      <p className="font-medium">This secret is shown once. Give it to the receiver now.</p>
      <CopyLine text={secret} />
      <p className="text-soft">
        With it the receiver checks who sent a request: it is signed as Standard Webhooks describes.
      </p>
    </div>
  )
}
