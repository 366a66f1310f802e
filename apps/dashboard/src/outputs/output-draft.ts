import type { OutputMoment, OutputText, OutputView, ResultFormat, UserOutputKind } from '@baton/protocol'
import { inputProblems } from '../elements/input-problems.ts'
import { type OutputFields, toConfig, toFields } from './output-kinds.ts'

/** An output as its form holds it, for every kind at once. */
export type OutputDraft = {
  kind: UserOutputKind
  fields: OutputFields
  on: OutputMoment
  format: ResultFormat
  subject: string
  body: string
}

export const newOutput = (kind: UserOutputKind): OutputDraft => ({
  kind,
  fields: toFields(kind, {}),
  on: 'always',
  format: 'text',
  subject: '',
  body: '',
})

export function draftOfOutput({ kind, config, on, text }: OutputView): OutputDraft {
  const known = kind as UserOutputKind
  return {
    kind: known,
    fields: toFields(known, config),
    on,
    format: text.format,
    subject: text.subject ?? '',
    body: text.body ?? '',
  }
}

/** What the API takes for it. What no form shows stays as it is in `before`. */
export function toOutputInput({ kind, fields, on, format, subject, body }: OutputDraft, before?: OutputView) {
  const text: OutputText = {
    subject: subject || null,
    body: body || null,
    format,
    schema: before?.text.schema ?? null,
  }
  return { kind, on, config: toConfig(kind, fields, before?.config ?? {}), text }
}

/** What the relay says about the config of an output of this kind, by the name of the config's field. */
export function outputProblems(text: string | null, kind: UserOutputKind): Record<string, string> {
  if (text === null || !text.startsWith(`The config of the ${kind} output`)) return {}
  const { at } = inputProblems(text, () => true)
  return Object.fromEntries(Object.entries(at).map(([path, what]) => [path.split(/[.[]/)[0] ?? path, what]))
}
