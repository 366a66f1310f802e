import {
  OUTPUT_MOMENTS,
  type OutputMoment,
  RESULT_FORMATS,
  type ResultFormat,
  USER_OUTPUT_KINDS,
  type UserOutputKind,
} from '@baton/protocol'
import { Field } from '../elements/field.tsx'
import { KindFields } from './kind-fields.tsx'
import { newOutput, type OutputDraft, outputProblems } from './output-draft.ts'
import { KIND_LABELS, MOMENT_LABELS } from './output-kinds.ts'

type OutputFieldsetProps = {
  draft: OutputDraft
  onChange: (draft: OutputDraft) => void
  /** An output that exists keeps its kind. */
  stored: boolean
  problem: string | null
}

/** Where a result goes, when, and what it says. */
export function OutputFieldset({ draft, onChange, stored, problem }: OutputFieldsetProps) {
  const change = (part: Partial<OutputDraft>) => onChange({ ...draft, ...part })
  return (
    <div className="space-y-4">
      {!stored && (
        <Field label="Where results go">
          <select
            className="field"
            value={draft.kind}
            onChange={(event) =>
              onChange({ ...newOutput(event.target.value as UserOutputKind), on: draft.on })
            }
          >
            {USER_OUTPUT_KINDS.map((one) => (
              <option key={one} value={one}>
                {KIND_LABELS[one]}
              </option>
            ))}
          </select>
        </Field>
      )}
      <KindFields
        kind={draft.kind}
        fields={draft.fields}
        problems={outputProblems(problem, draft.kind)}
        onChange={(part) => change({ fields: { ...draft.fields, ...part } })}
      />
      <Field label="Sent">
        <select
          className="field"
          value={draft.on}
          onChange={(event) => change({ on: event.target.value as OutputMoment })}
        >
          {OUTPUT_MOMENTS.map((one) => (
            <option key={one} value={one}>
              {MOMENT_LABELS[one]}
            </option>
          ))}
        </select>
      </Field>
      <details>
        <summary className="inline-flex min-h-6 items-center font-medium text-accent">What it says</summary>
        <div className="mt-3 space-y-4">
          <Field
            label="Subject"
            hint="Empty: a short account of the run. Values: {{ job.name }}, {{ run.outcome }}."
          >
            <input
              className="field"
              value={draft.subject}
              onChange={(event) => change({ subject: event.target.value })}
            />
          </Field>
          <Field
            label="Body"
            hint="Empty: the result and a link. Values: {{ run.result }}, {{ run.error }}, {{ payload.… }}."
          >
            <textarea
              className="field min-h-24 font-mono text-[13px]"
              spellCheck={false}
              value={draft.body}
              onChange={(event) => change({ body: event.target.value })}
            />
          </Field>
          <Field label="Written as">
            <select
              className="field"
              value={draft.format}
              onChange={(event) => change({ format: event.target.value as ResultFormat })}
            >
              {RESULT_FORMATS.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </Field>
        </div>
      </details>
    </div>
  )
}
