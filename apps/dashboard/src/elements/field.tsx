import type { ReactNode } from 'react'
import { Button } from './button.tsx'

type FieldProps = {
  label: string
  hint?: ReactNode
  problem?: string | null | undefined
  children: ReactNode
}

/** A label with its control and, below, what is wrong with it and what a person should know about it. */
export function Field({ label, hint, problem, children }: FieldProps) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is in `children`, inside the label.
    <label className="block space-y-1">
      <span className="block font-medium">{label}</span>
      {children}
      {problem && (
        <span role="alert" className="block text-[13px] text-bad">
          {problem}
        </span>
      )}
      {hint && <span className="block text-[13px] text-soft">{hint}</span>}
    </label>
  )
}

type CheckProps = { label: ReactNode; on: boolean; onChange: (on: boolean) => void; hint?: ReactNode }

/** A box to tick, with its sentence. */
export function Check({ label, on, onChange, hint }: CheckProps) {
  return (
    <label className="flex min-h-7 items-start gap-2">
      <input
        type="checkbox"
        className="mt-0.5 size-4 shrink-0 accent-accent"
        checked={on}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span>
        {label}
        {hint && <span className="block text-[13px] text-soft">{hint}</span>}
      </span>
    </label>
  )
}

/** Fields that most people leave as they are. */
export function Folded({
  title,
  hint,
  open,
  children,
}: {
  title: string
  hint?: string
  open?: boolean
  children: ReactNode
}) {
  return (
    <details className="group card" open={open}>
      <summary className="flex min-h-11 flex-wrap items-baseline gap-x-2 px-4 py-2.5 -outline-offset-2">
        <span aria-hidden className="text-soft group-open:rotate-90">
          ›
        </span>
        <span className="font-medium">{title}</span>
        {hint && <span className="text-[13px] text-soft">{hint}</span>}
      </summary>
      <div className="space-y-4 border-t border-line px-4 py-4">{children}</div>
    </details>
  )
}

type FormEndProps = {
  onCancel: () => void
  busy: boolean
  submit: string
  /** What was typed cannot be sent as it is. */
  blocked?: boolean
}

export function FormEnd({ onCancel, busy, submit, blocked = false }: FormEndProps) {
  return (
    <div className="flex flex-wrap justify-end gap-2 pt-1">
      <Button onClick={onCancel}>Cancel</Button>
      <Button type="submit" look="main" disabled={busy || blocked}>
        {busy ? 'One moment…' : submit}
      </Button>
    </div>
  )
}
