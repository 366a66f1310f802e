import type { MachineView } from '@baton/protocol'

const MOST_SEGMENTS = 20

/** How much of a machine is in use: a segment for each run that it can have at once; what waits is said beside it. */
export function MachineLoad({ machine: { live, slots, pending } }: { machine: MachineView }) {
  const segments = Math.min(slots, MOST_SEGMENTS)
  const used = slots === 0 ? 0 : Math.min(segments, Math.ceil((live / slots) * segments))
  return (
    <span className="flex flex-wrap items-center gap-x-2 text-[13px] text-soft tabular-nums">
      <span aria-hidden className="flex gap-0.5">
        {Array.from({ length: segments }, (_, index) => (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: a segment is its place.
            key={index}
            className={`h-2.5 w-2 rounded-xs ${index < used ? 'bg-accent' : 'border border-line-strong/60 bg-sunk'}`}
          />
        ))}
      </span>
      <span className="whitespace-nowrap">
        {live} of {slots} running
      </span>
      {pending > 0 && (
        <span className="whitespace-nowrap text-warn">
          {pending > 1_000 ? 'over 1,000' : pending} waiting
        </span>
      )}
    </span>
  )
}
