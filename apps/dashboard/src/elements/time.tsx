import { useEffect, useState } from 'react'
import { formatAgo, formatDuration, formatMoment } from './format.ts'

/** The time now, read again every `everyMs`; null stops it. */
export function useNow(everyMs: number | null): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (everyMs === null) return
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

export function Ago({ at }: { at: number }) {
  const now = useNow(5_000)
  return (
    <time dateTime={new Date(at).toISOString()} title={formatMoment(at)} className="whitespace-nowrap">
      {formatAgo(at, now)}
    </time>
  )
}

/** The time between two moments; while `to` is null it runs. */
export function Duration({ from, to }: { from: number; to: number | null }) {
  const now = useNow(to === null ? 1_000 : null)
  return <span className="whitespace-nowrap tabular-nums">{formatDuration((to ?? now) - from)}</span>
}
