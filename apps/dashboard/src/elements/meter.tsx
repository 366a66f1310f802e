import type { ReactNode } from 'react'

type MeterProps = {
  /** From 0 to 1. */
  part: number
  left: ReactNode
  right: ReactNode
  /** From where on it is a warning; full is always the worst. */
  warnFrom?: number
}

/** How much of something is used up, as a bar with its figures over it. */
export function Meter({ part, left, right, warnFrom = 0.8 }: MeterProps) {
  const tone = part >= 1 ? 'bg-bad' : part > warnFrom ? 'bg-warn' : 'bg-accent'
  return (
    <div className="text-[13px] tabular-nums">
      <p className="flex flex-wrap justify-between gap-x-3">
        <span>{left}</span>
        {right}
      </p>
      <div aria-hidden className="mt-1 h-1.5 overflow-hidden rounded-full bg-sunk">
        <div
          className={`h-full rounded-full ${tone}`}
          style={{ width: `${Math.min(1, Math.max(0, part)) * 100}%` }}
        />
      </div>
    </div>
  )
}
