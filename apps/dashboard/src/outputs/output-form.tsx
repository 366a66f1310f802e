import {
  OUTPUT_MOMENTS,
  type OutputMoment,
  type OutputText,
  type OutputView,
  RESULT_FORMATS,
  type ResultFormat,
  USER_OUTPUT_KINDS,
  type UserOutputKind,
} from '@baton/protocol'
import { useState } from 'react'
import { useAction } from '../api/use-action.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { Dialog, Problem } from '../elements/dialog.tsx'
import { Field, FormEnd } from '../elements/field.tsx'
import { KindFields } from './kind-fields.tsx'
import { KIND_LABELS, MOMENT_LABELS, toConfig, toFields } from './output-kinds.ts'

type Said = { on: OutputMoment; config: Record<string, unknown>; text: OutputText }
type FormProps = { jobId: string; output: OutputView | null; onClose: () => void }

/** Adds an output to a job, or changes one. A signing secret that the relay made is shown here once. */
export function OutputForm({ jobId, output, onClose }: FormProps) {
  const [kind, setKind] = useState<UserOutputKind>((output?.kind as UserOutputKind | undefined) ?? 'email')
  const [fields, setFields] = useState(() => toFields(kind, output?.config ?? {}))
  const [on, setOn] = useState<OutputMoment>(output?.on ?? 'always')
  const [format, setFormat] = useState<ResultFormat>(output?.text.format ?? 'text')
  const [subject, setSubject] = useState(output?.text.subject ?? '')
  const [body, setBody] = useState(output?.text.body ?? '')
  const [secret, setSecret] = useState<string | null>(null)
  const text = { subject: subject || null, body: body || null, format, schema: output?.text.schema ?? null }
  const config = toConfig(kind, fields, output?.config ?? {})
  const save = useAction('saving the output', async (api, said: Said): Promise<string | null> => {
    if (output) return api.outputs.update.mutate({ id: output.id, ...said }).then(() => null)
    return (await api.outputs.create.mutate({ job: jobId, kind, ...said })).secret
  })
  const close = (made: string | null) => (made === null ? onClose() : setSecret(made))
  if (secret !== null) return <ShownSecret secret={secret} onClose={onClose} />
  return (
    <Dialog title={output ? 'Change the output' : 'Add an output'} onClose={onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          save.start({ on, config, text }, close)
        }}
      >
        {!output && (
          <Field label="Where results go">
            <select
              className="field"
              value={kind}
              onChange={(event) => setKind(event.target.value as UserOutputKind)}
            >
              {USER_OUTPUT_KINDS.map((one) => (
                <option key={one} value={one}>
                  {KIND_LABELS[one]}
                </option>
              ))}
            </select>
          </Field>
        )}
        <KindFields kind={kind} fields={fields} onChange={(change) => setFields({ ...fields, ...change })} />
        <Field label="When">
          <select
            className="field"
            value={on}
            onChange={(event) => setOn(event.target.value as OutputMoment)}
          >
            {OUTPUT_MOMENTS.map((one) => (
              <option key={one} value={one}>
                {MOMENT_LABELS[one]}
              </option>
            ))}
          </select>
        </Field>
        <Field
          label="Subject"
          hint="Empty: a short account of the run. Values: {{ job.name }}, {{ run.outcome }}."
        >
          <input className="field" value={subject} onChange={(event) => setSubject(event.target.value)} />
        </Field>
        <Field
          label="Body"
          hint="Empty: the result and a link. Values: {{ run.result }}, {{ run.error }}, {{ payload.… }}."
        >
          <textarea
            className="field min-h-24 font-mono text-[13px]"
            spellCheck={false}
            value={body}
            onChange={(event) => setBody(event.target.value)}
          />
        </Field>
        <Field label="Written as">
          <select
            className="field"
            value={format}
            onChange={(event) => setFormat(event.target.value as ResultFormat)}
          >
            {RESULT_FORMATS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </Field>
        <Problem text={save.problem} />
        <FormEnd onCancel={onClose} busy={save.busy} submit={output ? 'Save' : 'Add'} />
      </form>
    </Dialog>
  )
}

function ShownSecret({ secret, onClose }: { secret: string; onClose: () => void }) {
  return (
    <Dialog title="The output was added" onClose={onClose}>
      <div className="space-y-2 rounded-xl border border-warn/50 bg-warn-soft/60 p-3">
        <p className="font-medium">This secret is shown once. Give it to the receiver now.</p>
        <CopyLine text={secret} />
        <p className="text-soft">
          With it the receiver checks who sent a request: it is signed as Standard Webhooks describes.
        </p>
      </div>
    </Dialog>
  )
}
