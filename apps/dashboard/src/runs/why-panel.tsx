import type { Condition } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/api-context.ts'
import { errorSentence } from '../api/api-error.ts'
import { whyQuery } from '../api/queries.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { formatDuration, formatMoment } from '../elements/format.ts'
import { RelayText } from '../elements/relay-text.tsx'
import { useNow } from '../elements/time.tsx'

type WhyPanelProps = {
  id: string
  label?: string
  /** For what is usually well: nothing is shown until something is known to be in the way. */
  onlyTrouble?: boolean
}

/** Why a delivery waits or an event started nothing, and what would change that. */
export function WhyPanel({ id, label = 'Why it waits', onlyTrouble = false }: WhyPanelProps) {
  const { client } = useApi()
  const why = useQuery(whyQuery(client, id))
  if (onlyTrouble && (why.data?.conditions.length ?? 0) === 0) return null
  return (
    <section aria-label={label} className="rounded-xl border border-warn/50 bg-warn-soft/60 px-4 py-3">
      <h2 className="font-semibold text-wrap break-words">
        <span aria-hidden>◆ </span>
        <RelayText
          text={why.data?.sentence ?? (why.error ? errorSentence(why.error, 'asking why') : 'Asking why…')}
        />
      </h2>
      {why.data && why.data.conditions.length > 0 && (
        <ul className="mt-1.5 space-y-3">
          {why.data.conditions.map((condition) => (
            <li key={`${condition.code} ${condition.what}`}>
              <Unmet condition={condition} isSaid={why.data.sentence.includes(condition.what)} />
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** `isSaid`: what is so stands in the sentence above already. */
function Unmet({
  condition: { what, since, unblock, command },
  isSaid,
}: {
  condition: Condition
  isSaid: boolean
}) {
  return (
    <>
      {!isSaid && (
        <p>
          <RelayText text={what} />
        </p>
      )}
      <p className="text-soft">
        <RelayText text={unblock} />
        {since !== null && (
          <>
            {' '}
            (<For since={since} />)
          </>
        )}
      </p>
      {command && (
        <div className="mt-1">
          <CopyLine text={command} />
        </div>
      )}
    </>
  )
}

/** "for 20 min"; since when exactly is said when it is pointed at. */
function For({ since }: { since: number }) {
  const now = useNow(10_000)
  return (
    <time dateTime={new Date(since).toISOString()} title={`since ${formatMoment(since)}`}>
      for {formatDuration(now - since)}
    </time>
  )
}
