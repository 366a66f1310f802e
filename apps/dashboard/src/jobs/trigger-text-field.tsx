import type { InputHTMLAttributes } from 'react'
import { Field } from '../elements/field.tsx'
import type { TriggerDraft } from './trigger-draft.ts'

export type TriggerFieldsProps = {
  draft: TriggerDraft
  onChange: (change: Partial<TriggerDraft>) => void
  /** What is wrong, by the name of the API’s field. */
  problems: Record<string, string>
  /** It exists: what cannot be changed any more is not offered. */
  stored: boolean
}

type TextName = { [K in keyof TriggerDraft]: TriggerDraft[K] extends string ? K : never }[keyof TriggerDraft]
type TextFieldProps = TriggerFieldsProps &
  InputHTMLAttributes<HTMLInputElement> & { name: TextName; label: string; hint?: string }

/** One text of a trigger. */
export function TextField({
  draft,
  onChange,
  problems,
  stored: _,
  name,
  label,
  hint,
  ...rest
}: Omit<TextFieldProps, 'onChange'> & Pick<TriggerFieldsProps, 'onChange'>) {
  return (
    <Field label={label} hint={hint} problem={problems[name]}>
      <input
        className="field"
        value={draft[name]}
        aria-invalid={problems[name] ? true : undefined}
        onChange={(event) => onChange({ [name]: event.target.value })}
        {...rest}
      />
    </Field>
  )
}
