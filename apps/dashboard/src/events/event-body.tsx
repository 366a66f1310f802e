import type { EventDetail } from '@baton/protocol'
import { useState } from 'react'
import { Button } from '../elements/button.tsx'
import { CopyButton } from '../elements/copy-button.tsx'
import { formatBytes } from '../elements/format.ts'
import { Section } from '../elements/page.tsx'

/** More of a body than this is not put on the page. */
const SHOWN_CHARS = 200_000

/** The body, indented where it is JSON, or exactly as it came. */
export function EventBody({ event }: { event: EventDetail }) {
  const [raw, setRaw] = useState(false)
  const pretty = event.bodyEncoding === 'text' ? indented(event.body) : null
  const text = raw || pretty === null ? event.body : pretty
  return (
    <Section
      title={`Body, ${formatBytes(event.bodyBytes)}`}
      aside={
        <span className="flex gap-1">
          {pretty !== null && pretty !== event.body && (
            <Button small look="bare" aria-pressed={raw} onClick={() => setRaw(!raw)}>
              {raw ? 'Pretty' : 'Raw'}
            </Button>
          )}
          <CopyButton text={event.body} bare />
        </span>
      }
    >
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        tabIndex={0}
        className="card max-h-[32rem] overflow-auto p-4 font-mono text-[12.5px] whitespace-pre"
      >
        {event.bodyBytes === 0 ? 'empty' : text.slice(0, SHOWN_CHARS)}
      </pre>
      {event.bodyEncoding === 'base64' && (
        <p className="mt-1 text-[13px] text-soft">Bytes that are no text, as base64.</p>
      )}
      {text.length > SHOWN_CHARS && (
        <p className="mt-1 text-[13px] text-soft">Only the beginning is shown; copy has all of it.</p>
      )}
    </Section>
  )
}

function indented(text: string): string | null {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return null
  }
}
