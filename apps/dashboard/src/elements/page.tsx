import { Link } from '@tanstack/react-router'
import { RefreshCw } from 'lucide-react'
import { type ReactNode, useEffect } from 'react'
import { errorSentence } from '../api/api-error.ts'
import { Button } from './button.tsx'

type PageProps = {
  title: string
  /** The list that this page is one of. */
  back?: { to: '/runs' | '/jobs' | '/agents' | '/machines' | '/events'; name: string }
  lead?: ReactNode
  actions?: ReactNode
  children: ReactNode
}

/** The frame of every page: its heading, one line about it, what can be done, and the document's title. */
export function Page({ title, back, lead, actions, children }: PageProps) {
  useTitle(title)
  return (
    <div className="mx-auto w-full max-w-6xl px-4 py-5 sm:px-6 sm:py-7">
      <div className="mb-5 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          {back && <BackLink {...back} />}
          <h1 className="text-xl font-semibold tracking-tight break-words">{title}</h1>
          {lead && <div className="mt-0.5 text-soft">{lead}</div>}
        </div>
        {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
      </div>
      {children}
    </div>
  )
}

export function BackLink({ to, name }: NonNullable<PageProps['back']>) {
  return (
    <Link to={to} className="inline-flex min-h-6 items-center gap-1 text-[13px] text-soft hover:text-ink">
      <span aria-hidden>←</span>
      {name}
    </Link>
  )
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Baton`
  }, [title])
}

export function Section({
  title,
  aside,
  children,
}: {
  title: string
  aside?: ReactNode
  children: ReactNode
}) {
  return (
    <section className="mb-7">
      <div className="mb-2 flex min-h-8 items-center justify-between gap-4">
        <h2 className="text-[13px] font-semibold tracking-wide text-soft">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  )
}

/** Nothing here yet: what would be here, and the one thing to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="card flex flex-col items-start gap-3 border-dashed px-5 py-6">
      <p className="font-medium">{title}</p>
      {children}
    </div>
  )
}

type Answer<T> = { data: T | undefined; error: unknown; refetch: () => unknown }

/** Shows an answer once it is there; before that a quiet placeholder, and a failure with a way to try again. */
export function Loaded<T>({
  answer,
  of,
  children,
}: {
  answer: Answer<T>
  of: string
  children: (data: T) => ReactNode
}) {
  if (answer.data !== undefined) return children(answer.data)
  if (answer.error) return <Failure error={answer.error} of={of} retry={answer.refetch} />
  return (
    <div role="status" className="space-y-2">
      <span className="sr-only">Loading {of}</span>
      <div className="h-16 rounded-xl bg-line/50" />
      <div className="h-16 rounded-xl bg-line/35" />
    </div>
  )
}

export function Failure({ error, of, retry }: { error: unknown; of: string; retry: () => unknown }) {
  return (
    <div role="alert" className="card flex flex-col items-start gap-3 px-5 py-6">
      <p className="font-medium">{errorSentence(error, `loading ${of}`)}</p>
      <Button icon={<RefreshCw size={15} aria-hidden />} onClick={() => void retry()}>
        Try again
      </Button>
    </div>
  )
}
