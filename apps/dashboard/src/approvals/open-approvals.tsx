import type { ApprovalView } from '@baton/protocol'
import { FirstOf } from '../elements/first-of.tsx'
import { Section } from '../elements/page.tsx'
import { ApprovalCard } from './approval-card.tsx'

const SHOWN = 3

/** What agents wait for, before everything else on the overview. */
export function OpenApprovals({ approvals }: { approvals: ApprovalView[] }) {
  if (approvals.length === 0) return null
  return (
    <div id="approvals">
      <Section
        title={
          approvals.length === 1 ? 'An agent waits for you' : `${approvals.length} questions wait for you`
        }
      >
        <FirstOf all={approvals} count={SHOWN}>
          {(shown) => (
            <div className="space-y-3">
              {shown.map((approval) => (
                <ApprovalCard key={approval.id} approval={approval} withRun />
              ))}
            </div>
          )}
        </FirstOf>
      </Section>
    </div>
  )
}
