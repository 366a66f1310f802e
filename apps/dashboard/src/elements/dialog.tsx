import { X } from 'lucide-react'
import { type ReactNode, useEffect, useId, useRef } from 'react'
import { Button, IconButton } from './button.tsx'

type DialogProps = { title: string; onClose: () => void; children: ReactNode; wide?: boolean }

/**
 * A native modal dialog: mounted means open. Escape, the cross and a click outside all call `onClose`, the last only as
 * long as nothing was typed in it; the focus starts at the element with `data-focus`, or at the title.
 */
export function Dialog({ title, onClose, children, wide = false }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  const isTyped = useRef(false)
  useEffect(() => {
    const dialog = ref.current
    dialog?.showModal()
    const first = dialog?.querySelector<HTMLElement>('[data-focus]') ?? dialog?.querySelector('h2')
    first?.focus()
    return () => dialog?.close()
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click on the backdrop only repeats what Escape does.
    <dialog
      ref={ref}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onInput={() => {
        isTyped.current = true
      }}
      onClick={(event) => event.target === ref.current && !isTyped.current && onClose()}
      className={`m-auto max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] overflow-auto rounded-2xl border border-line bg-card p-0 text-ink shadow-2xl ${wide ? 'max-w-2xl' : 'max-w-lg'}`}
    >
      <div className="flex items-center justify-between gap-4 border-b border-line py-3 pr-3 pl-5">
        <h2 id={titleId} tabIndex={-1} className="text-base font-semibold outline-none">
          {title}
        </h2>
        <IconButton label="Close" icon={<X size={18} aria-hidden />} onClick={onClose} />
      </div>
      <div className="p-5">{children}</div>
    </dialog>
  )
}

type ConfirmProps = {
  title: string
  children: ReactNode
  confirm: string
  /** What a person must type first, for what cannot be undone. */
  typed?: { value: string; onChange: (value: string) => void; expected: string }
  busy: boolean
  problem: string | null
  onConfirm: () => void
  onClose: () => void
}

/** Asks before something that cannot be taken back. The focus is on keeping things as they are. */
export function ConfirmDialog(props: ConfirmProps) {
  const { typed } = props
  const id = useId()
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault()
          props.onConfirm()
        }}
      >
        <div className="space-y-2 text-soft">{props.children}</div>
        {typed && (
          <label htmlFor={id} className="block space-y-1">
            <span>
              Type <strong className="font-mono">{typed.expected}</strong> to go on
            </span>
            <input
              id={id}
              className="field"
              autoComplete="off"
              value={typed.value}
              onChange={(event) => typed.onChange(event.target.value)}
            />
          </label>
        )}
        <Problem text={props.problem} />
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={props.onClose} data-focus>
            Keep it
          </Button>
          <Button
            type="submit"
            look="danger"
            disabled={props.busy || (typed && typed.value !== typed.expected)}
          >
            {props.busy ? 'One moment…' : props.confirm}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

/** What went wrong, said where it happened. */
export function Problem({ text }: { text: string | null }) {
  if (text === null) return null
  return (
    <p role="alert" className="rounded-lg bg-bad-soft px-3 py-2 text-bad">
      {text}
    </p>
  )
}
