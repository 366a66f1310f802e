type SwitchProps = { label: string; on: boolean; busy: boolean; onChange: (on: boolean) => void }

/** On or off at once, without a form. The word beside it says which, so that colour is not the only sign. */
export function Switch({ label, on, busy, onChange }: SwitchProps) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      aria-label={label}
      disabled={busy}
      onClick={() => onChange(!on)}
      className="inline-flex min-h-9 items-center gap-2 rounded-lg px-1 font-medium"
    >
      <span
        aria-hidden
        className={`relative h-5 w-9 rounded-full border transition-colors motion-reduce:transition-none ${on ? 'border-accent bg-accent' : 'border-line-strong bg-sunk'}`}
      >
        <span
          className={`absolute top-0.5 size-3.5 rounded-full transition-[left] motion-reduce:transition-none ${on ? 'left-[1.1rem] bg-on-accent' : 'left-0.5 bg-line-strong'}`}
        />
      </span>
      {on ? 'Enabled' : 'Disabled'}
    </button>
  )
}
