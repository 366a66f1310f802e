import type { Ladder } from '@baton/protocol'
import { formatDuration, formatInstant } from '../elements/format.ts'
import { useNow } from '../elements/time.tsx'
import { type Stage, stagesOf } from './stages.ts'

const TONES: Record<Stage['tone'], string> = {
  wait: 'bg-line-strong',
  prepare: 'bg-sleep',
  work: 'bg-accent',
}

/** Where the time went, as a bar to scale and as a table with the same figures. */
export function StageTimeline({ ladder }: { ladder: Ladder }) {
  const stages = stagesOf(ladder)
  const now = useNow(ladder.finishedAt === null ? 1_000 : null)
  const lasting = (stage: Stage) => Math.max(0, (stage.to ?? now) - stage.from)
  const total = stages.reduce((sum, stage) => sum + lasting(stage), 0)
  return (
    <div>
      <div aria-hidden className="mb-2.5 flex h-2.5 gap-0.5 overflow-hidden rounded-full">
        {stages.map((stage) => (
          <div
            key={stage.name}
            title={`${stage.name}: ${formatDuration(lasting(stage))}`}
            className={`${TONES[stage.tone]} min-w-1 ${stage.to === null ? 'breathe' : ''}`}
            style={{ flexGrow: total === 0 ? 1 : lasting(stage) / total, flexBasis: 0 }}
          />
        ))}
      </div>
      <table className="w-full text-[13px]">
        <caption className="sr-only">The steps of this delivery with their start and duration</caption>
        <thead className="sr-only">
          <tr>
            <th>Step</th>
            <th>Began</th>
            <th>Lasted</th>
          </tr>
        </thead>
        <tbody>
          {stages.map((stage) => (
            <tr key={stage.name} title={stage.what}>
              <th scope="row" className="py-0.5 text-left font-normal whitespace-nowrap">
                <span aria-hidden className={`${TONES[stage.tone]} mr-2 inline-block size-2 rounded-sm`} />
                {stage.name}
              </th>
              <td className="px-2 py-0.5 text-right text-soft tabular-nums">{formatInstant(stage.from)}</td>
              <td className="py-0.5 text-right whitespace-nowrap tabular-nums">
                {formatDuration(lasting(stage))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Consumed ladder={ladder} />
    </div>
  )
}

/** The moment from which the agent is known to have the prompt. */
function Consumed({ ladder: { consumedAt, startedAt, finishedAt } }: { ladder: Ladder }) {
  if (startedAt === null) return null
  if (consumedAt === null) {
    return finishedAt === null ? null : (
      <p className="mt-1.5 text-[13px] text-soft">The agent never showed that it read the prompt.</p>
    )
  }
  return (
    <p className="mt-1.5 text-[13px] text-soft">
      The agent had read the prompt {formatDuration(consumedAt - startedAt)} after its start.
    </p>
  )
}
