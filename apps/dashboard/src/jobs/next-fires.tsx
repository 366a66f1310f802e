import { useQuery } from '@tanstack/react-query'
import { useDeferredValue } from 'react'
import { useApi } from '../api/api-context.ts'
import { errorSentence } from '../api/api-error.ts'
import { formatDuration } from '../elements/format.ts'
import { useNow } from '../elements/time.tsx'
import { nextFiresQuery, type ScheduleInput } from './job-queries.ts'
import { myZone } from './trigger-draft.ts'

/** A schedule in words and its next times in the zone of who looks; while it is typed it follows. */
export function NextFires({ schedule, count = 5 }: { schedule: ScheduleInput; count?: number }) {
  const { client } = useApi()
  const now = useNow(30_000)
  const asked = useDeferredValue(schedule)
  const answer = useQuery(nextFiresQuery(client, asked, count, myZone()))
  if (answer.error)
    return (
      <p role="alert" className="text-[13px] text-bad">
        {errorSentence(answer.error, 'reading the schedule')}
      </p>
    )
  if (!answer.data) return <p className="text-[13px] text-soft">Reading the schedule…</p>
  const { words, fires, shownIn } = answer.data
  return (
    <div className="space-y-1 text-[13px]">
      <p className="font-medium">{words}</p>
      {fires.length === 0 ? (
        <p className="text-warn">It never fires.</p>
      ) : (
        <>
          <p className="text-soft">Next, in {shownIn}:</p>
          <ol aria-label="Next times" className="space-y-0.5 tabular-nums">
            {fires.map(({ at, local }) => (
              <li key={at}>
                {local} <span className="text-soft">in {formatDuration(at - now)}</span>
              </li>
            ))}
          </ol>
        </>
      )}
    </div>
  )
}
