import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { formatMoment, formatSoon, shortId } from './format.ts'
import { useNow } from './time.tsx'

const SPECIAL = /(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)? UTC|\b(?:run|evt)_[0-9a-f]{32}\b)/

/** A sentence of the relay: its times, which are in UTC, become those of who reads it, and ids of runs and events links. */
export function RelayText({ text }: { text: string }) {
  const now = useNow(30_000)
  return text.split(SPECIAL).map((part, index): ReactNode => {
    if (index % 2 === 0) return part
    if (part.startsWith('run_'))
      return (
        // biome-ignore lint/suspicious/noArrayIndexKey: a part of a text has nothing else to be told by.
        <Link key={index} to="/runs/$runId" params={{ runId: part }} title={part} className={LINK}>
          {shortId(part)}
        </Link>
      )
    if (part.startsWith('evt_'))
      return (
        // biome-ignore lint/suspicious/noArrayIndexKey: as above.
        <Link key={index} to="/events/$event" params={{ event: part }} title={part} className={LINK}>
          {shortId(part)}
        </Link>
      )
    const at = Date.parse(part.replace(' UTC', 'Z').replace(' ', 'T'))
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: as above.
      <time key={index} dateTime={new Date(at).toISOString()} title={formatMoment(at)}>
        {formatSoon(at, now)}
      </time>
    )
  })
}

const LINK = 'font-medium text-accent hover:underline'
