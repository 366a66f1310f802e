import type { RunView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/api-context.ts'
import { ApprovalCard } from './approval-card.tsx'
import { runApprovalsQuery } from './approval-queries.ts'

/** What this run asks right now. */
export function RunApprovals({ run }: { run: RunView }) {
  const { client } = useApi()
  const asked = useQuery({ ...runApprovalsQuery(client, run.id), enabled: run.openApprovals.length > 0 })
  const open = new Set(run.openApprovals.map(({ id }) => id))
  const cards = (asked.data ?? []).filter(({ id, state }) => open.has(id) && state === 'open')
  if (cards.length === 0) return null
  return (
    <div className="space-y-3">
      {cards.map((approval) => (
        <ApprovalCard key={approval.id} approval={approval} />
      ))}
    </div>
  )
}
