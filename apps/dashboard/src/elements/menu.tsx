import { type ReactNode, useId, useRef } from 'react'
import { Button } from './button.tsx'

/** A button that opens a native popover below itself; it closes by Escape, by a click outside and after a choice. */
export function Menu({ label, icon, children }: { label: ReactNode; icon?: ReactNode; children: ReactNode }) {
  const id = useId()
  const button = useRef<HTMLSpanElement>(null)
  const list = useRef<HTMLDivElement>(null)
  const place = () => {
    const anchor = button.current?.getBoundingClientRect()
    if (!anchor || !list.current) return
    const right = Math.min(window.innerWidth - 8, Math.max(anchor.right, 8 + list.current.offsetWidth))
    list.current.style.top = `${anchor.bottom + 6}px`
    list.current.style.left = `${Math.max(8, right - list.current.offsetWidth)}px`
  }
  return (
    <>
      <span ref={button}>
        <Button popoverTarget={id} icon={icon}>
          {label}
        </Button>
      </span>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the buttons inside take the keys; this only closes after one of them. */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: as above. */}
      <div
        ref={list}
        id={id}
        popover="auto"
        onToggle={(event) => event.newState === 'open' && place()}
        onClick={() => list.current?.hidePopover()}
        className="inset-auto m-0 w-max max-w-[calc(100vw-16px)] min-w-44 rounded-xl border border-line bg-card p-1 text-ink shadow-xl"
      >
        {children}
      </div>
    </>
  )
}

export function MenuItem({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <button
      type="button"
      onClick={onClick}
      className="flex min-h-9 w-full items-center gap-2 rounded-lg px-3 text-left hover:bg-hover"
    >
      {children}
    </button>
  )
}
