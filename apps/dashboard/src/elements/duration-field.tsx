import { useState } from 'react'
import { Field } from './field.tsx'

const UNITS = [
  { unit: 'seconds', ms: 1_000 },
  { unit: 'minutes', ms: 60_000 },
  { unit: 'hours', ms: 3_600_000 },
  { unit: 'days', ms: 86_400_000 },
] as const

type DurationFieldProps = {
  label: string
  ms: number | null
  onChange: (ms: number | null) => void
  hint?: string
  required?: boolean
  problem?: string | null | undefined
}

/** A time as a number and its unit; empty is null. */
export function DurationField({ label, ms, onChange, hint, required, problem }: DurationFieldProps) {
  const [size, setSize] = useState<number>(() => unitOf(ms))
  return (
    <Field label={label} hint={hint} problem={problem}>
      <span className="flex gap-2">
        <input
          className="field w-28"
          type="number"
          min={0}
          step="any"
          required={required}
          aria-label={label}
          aria-invalid={problem ? true : undefined}
          value={ms === null ? '' : ms / size}
          onChange={({ target }) =>
            onChange(target.value === '' ? null : Math.round(Number(target.value) * size))
          }
        />
        <select
          className="field w-auto"
          aria-label={`Unit of ${label}`}
          value={size}
          onChange={({ target }) => {
            const next = Number(target.value)
            if (ms !== null) onChange(Math.round((ms / size) * next))
            setSize(next)
          }}
        >
          {UNITS.map((one) => (
            <option key={one.unit} value={one.ms}>
              {one.unit}
            </option>
          ))}
        </select>
      </span>
    </Field>
  )
}

/** The largest unit in which it is a whole number. */
function unitOf(ms: number | null): number {
  if (ms === null || ms === 0) return 60_000
  return UNITS.findLast((one) => ms % one.ms === 0)?.ms ?? 1_000
}
