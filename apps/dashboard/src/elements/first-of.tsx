import { type ReactNode, useState } from 'react'
import { Button } from './button.tsx'

type FirstOfProps<T> = {
  all: readonly T[]
  count: number
  children: (shown: readonly T[]) => ReactNode
}

/** The first few of many, so that what stands below is still found; the others come with a button. */
export function FirstOf<T>({ all, count, children }: FirstOfProps<T>) {
  const [isOpen, setOpen] = useState(false)
  const more = all.length - count
  return (
    <>
      {children(isOpen ? all : all.slice(0, count))}
      {more > 0 && (
        <Button small look="bare" className="mt-1" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Show fewer' : `Show ${more} more`}
        </Button>
      )}
    </>
  )
}
