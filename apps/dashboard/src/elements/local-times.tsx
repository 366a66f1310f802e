import { Fragment } from 'react'
import { formatMoment, formatSoon } from './format.ts'
import { useNow } from './time.tsx'

const RELAYS = /(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?) UTC/

/** A sentence of the relay, whose times are in UTC: here they are those of who reads it, and how far away. */
export function LocalTimes({ text }: { text: string }) {
  const now = useNow(30_000)
  const parts = text.split(RELAYS)
  return parts.map((part, index) => {
    if (index % 3 === 2) return null
    // biome-ignore lint/suspicious/noArrayIndexKey: a part of a text has nothing else to be told by.
    if (index % 3 === 0) return <Fragment key={index}>{part}</Fragment>
    const at = Date.parse(`${part}T${parts[index + 1]}Z`)
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: as above.
      <time key={index} dateTime={new Date(at).toISOString()} title={formatMoment(at)}>
        {formatSoon(at, now)}
      </time>
    )
  })
}
