import { type ReactNode, useEffect, useState } from 'react'
import { Button } from './button.tsx'

const UNDO_WITHIN_MS = 10_000
type Said = { text: string; undo: () => void; at: number }

/** Says what was just done, with a button that takes it back, for ten seconds. Put `note` anywhere on the page. */
export function useUndo(): { say: (text: string, undo: () => void) => void; note: ReactNode } {
  const [said, setSaid] = useState<Said | null>(null)
  useEffect(() => {
    if (said === null) return
    const timer = setTimeout(() => setSaid(null), UNDO_WITHIN_MS)
    return () => clearTimeout(timer)
  }, [said])
  const note = said && (
    <div
      role="status"
      className="fixed inset-x-4 bottom-20 z-40 mx-auto flex w-fit max-w-[calc(100vw-2rem)] items-center gap-3 rounded-xl border border-line bg-card py-2 pr-2 pl-4 shadow-xl md:bottom-6"
    >
      <span>{said.text}</span>
      <Button
        small
        onClick={() => {
          setSaid(null)
          said.undo()
        }}
      >
        Undo
      </Button>
    </div>
  )
  return { say: (text, undo) => setSaid({ text, undo, at: Date.now() }), note }
}
