import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useApi } from '../api/api-context.ts'
import { openApprovalsQuery } from './approval-queries.ts'

export function useOpenApprovals(): number {
  const { client } = useApi()
  return useQuery(openApprovalsQuery(client)).data?.length ?? 0
}

/** How many questions wait, on the way to where they are answered. */
export function ApprovalDot({ className = '' }: { className?: string }) {
  const count = useOpenApprovals()
  if (count === 0) return null
  return (
    <span
      className={`inline-flex h-5 min-w-5 items-center justify-center rounded-full bg-warn px-1.5 text-[11px] font-semibold text-page tabular-nums ${className}`}
    >
      <span aria-hidden>{count > 99 ? '99+' : count}</span>
      <span className="sr-only">{count === 1 ? 'one question waits' : `${count} questions wait`}</span>
    </span>
  )
}

/** The tab says so too, for somebody who looks at another one. Pages set the rest of the title. */
export function useApprovalTitle(): void {
  const count = useOpenApprovals()
  useEffect(() => {
    const mark = () => {
      const bare = document.title.replace(/^◆ \d+ · /, '')
      const title = count > 0 ? `◆ ${count} · ${bare}` : bare
      if (document.title !== title) document.title = title
    }
    mark()
    const head = document.querySelector('title')
    if (!head) return
    const observer = new MutationObserver(mark)
    observer.observe(head, { childList: true, characterData: true, subtree: true })
    return () => observer.disconnect()
  }, [count])
}
