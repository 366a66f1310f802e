import type { RunView } from '@baton/protocol'
import { DispatchList } from './dispatch-list.tsx'

/** Where the results of this run went. Nothing for a run without outputs. */
export function RunDispatches({ run }: { run: RunView }) {
  if (run.dispatches.length === 0) return null
  return (
    <section className="my-5 first:mt-0">
      <h2 className="mb-2 text-[13px] font-semibold tracking-wide text-soft">Outputs</h2>
      <DispatchList dispatches={run.dispatches} label="Outputs of this run" />
    </section>
  )
}
