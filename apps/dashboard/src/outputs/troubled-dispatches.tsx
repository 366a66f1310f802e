import type { DispatchView } from '@baton/protocol'
import { FirstOf } from '../elements/first-of.tsx'
import { Section } from '../elements/page.tsx'
import { DispatchList } from './dispatch-list.tsx'

const SHOWN = 3

/** Results of the last days that did not reach where they should go. Nothing while all is well. */
export function TroubledDispatches({ dispatches }: { dispatches: readonly DispatchView[] }) {
  if (dispatches.length === 0) return null
  return (
    <Section title="Could not be sent">
      <FirstOf all={dispatches} count={SHOWN}>
        {(shown) => <DispatchList dispatches={shown} label="Outputs that could not be sent" withRun />}
      </FirstOf>
    </Section>
  )
}
