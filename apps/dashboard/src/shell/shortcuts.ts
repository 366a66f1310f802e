import { useLayoutEffect, useRef } from 'react'

/** Which key does what; two keys after one another are written "g o". Answering false leaves the key to the browser. */
export type Shortcuts = Record<string, (event: KeyboardEvent) => unknown>

const SEQUENCE_WITHIN_MS = 1_200

/**
 * Listens for single keys while the caller is shown. They are off while a person types, with a dialog open, with a
 * modifier held, and when switched off on the sheet of shortcuts.
 */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts)
  latest.current = shortcuts
  // Before the paint: a key that is pressed as soon as the page is seen counts.
  useLayoutEffect(() => {
    let pending: { key: string; at: number } | null = null
    const listen = (event: KeyboardEvent) => {
      if (!isForUs(event)) return
      const after = pending && event.timeStamp - pending.at < SEQUENCE_WITHIN_MS ? pending.key : null
      pending = { key: event.key, at: event.timeStamp }
      const action =
        latest.current[after === null ? event.key : `${after} ${event.key}`] ?? latest.current[event.key]
      if (action === undefined || (after === 'g' && latest.current[`g ${event.key}`] === undefined)) return
      if (action(event) !== false) event.preventDefault()
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  }, [])
}

function isForUs(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false
  if (document.querySelector('dialog[open]') !== null || !shortcutsAreOn()) return false
  const target = event.target as HTMLElement | null
  return !target?.closest('input, textarea, select, [contenteditable]')
}

const STORED_AS = 'baton.shortcuts'

export function shortcutsAreOn(): boolean {
  try {
    return localStorage.getItem(STORED_AS) !== 'off'
  } catch {
    return true
  }
}

export function switchShortcuts(on: boolean): void {
  try {
    localStorage.setItem(STORED_AS, on ? 'on' : 'off')
  } catch {
    // Storage is blocked: they stay on.
  }
}
