import type { ReactNode } from 'react'
import { Button } from './button.tsx'

/** A label with its control and, below, what a person should know about it. */
export function Field({ label, hint, children }: { label: string; hint?: ReactNode; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is in `children`, inside the label.
    <label className="block space-y-1">
      <span className="font-medium">{label}</span>
      {children}
      {hint && <span className="block text-[13px] text-soft">{hint}</span>}
    </label>
  )
}

export function FormEnd({ onCancel, busy, submit }: { onCancel: () => void; busy: boolean; submit: string }) {
  return (
    <div className="flex flex-wrap justify-end gap-2 pt-1">
      <Button onClick={onCancel}>Cancel</Button>
      <Button type="submit" look="main" disabled={busy}>
        {busy ? 'One moment…' : submit}
      </Button>
    </div>
  )
}
