import type { ReactNode } from 'react'

/** Short facts, each with its name before it. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="space-y-1.5 text-[13px]">{children}</dl>
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[6.5rem_minmax(0,1fr)] gap-2">
      <dt className="text-soft">{name}</dt>
      <dd className="min-w-0 [overflow-wrap:anywhere]">{children}</dd>
    </div>
  )
}

/** A part of a card with its heading. */
export function CardPart({
  title,
  aside,
  children,
}: {
  title: string
  aside?: ReactNode
  children: ReactNode
}) {
  return (
    <section className="px-4 py-3">
      <div className="mb-1.5 flex min-h-7 items-center justify-between gap-2">
        <h2 className="text-[13px] font-semibold text-soft">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  )
}
