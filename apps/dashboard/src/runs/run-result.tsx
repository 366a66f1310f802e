import type { RunView } from '@baton/protocol'
import { useState } from 'react'
import { Button } from '../elements/button.tsx'
import { CopyButton } from '../elements/copy-button.tsx'

const SHORT_LINES = 4
const SHORT_LETTERS = 400

/** What the agent said at its end, before all the rest: it is what most people came for. */
export function RunResult({ run: { result, state, sentence } }: { run: RunView }) {
  const [open, setOpen] = useState(false)
  const text = result?.trim() ?? ''
  if (text === '' || sentence.includes(text)) return null
  const isLong = text.length > SHORT_LETTERS || text.split('\n').length > SHORT_LINES
  return (
    <section
      aria-label="Result"
      className={`card px-4 py-2.5 ${state === 'succeeded' ? 'border-good/50' : ''}`}
    >
      <div className="flex items-start justify-between gap-3">
        <div
          className={`min-w-0 break-words whitespace-pre-wrap [overflow-wrap:anywhere] ${isLong && !open ? 'line-clamp-4' : 'max-h-[45dvh] overflow-y-auto'}`}
        >
          {text}
        </div>
        <CopyButton text={text} bare />
      </div>
      {isLong && (
        <Button small look="bare" aria-expanded={open} className="-ml-2" onClick={() => setOpen(!open)}>
          {open ? 'Show less' : 'Show all of it'}
        </Button>
      )}
    </section>
  )
}
