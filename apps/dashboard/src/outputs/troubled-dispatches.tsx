import type { DispatchView } from '@baton/protocol'
import { Section } from '../elements/page.tsx'
import { DispatchList } from './dispatch-list.tsx'

/** Results of the last days that did not reach where they should go. Nothing while all is well. */
export function TroubledDispatches({ dispatches }: { dispatches: readonly DispatchView[] }) {
  if (dispatches.length === 0) return null
  return (
    <Section title="Could not be sent">
      <DispatchList dispatches={dispatches} label="Outputs that could not be sent" withRun />
    </Section>
  )
}
