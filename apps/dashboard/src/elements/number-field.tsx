import { Field } from './field.tsx'

type NumberFieldProps = {
  label: string
  value: number | null
  onChange: (value: number | null) => void
  hint?: string
  min?: number
  max?: number
  step?: number | 'any'
  required?: boolean
  placeholder?: string
  problem?: string | null | undefined
}

/** A number; empty is null. */
export function NumberField({ label, value, onChange, hint, problem, ...input }: NumberFieldProps) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      <input
        className="field max-w-40"
        type="number"
        value={value ?? ''}
        aria-invalid={problem ? true : undefined}
        onChange={({ target }) => onChange(target.value === '' ? null : Number(target.value))}
        {...input}
      />
    </Field>
  )
}
