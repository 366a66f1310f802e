import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/api-context.ts'
import { errorSentence } from '../api/api-error.ts'
import { whyQuery } from '../api/queries.ts'
import { CopyLine } from '../elements/copy-button.tsx'
import { Ago } from '../elements/time.tsx'

type WhyPanelProps = { id: string; label?: string }

/** Why a delivery waits or an event started nothing, and what would change that. */
export function WhyPanel({ id, label = 'Why it waits' }: WhyPanelProps) {
  const { client } = useApi()
  const why = useQuery(whyQuery(client, id))
  return (
    <section aria-label={label} className="rounded-xl border border-warn/50 bg-warn-soft/60 px-4 py-3">
      <h2 className="font-semibold">
        <span aria-hidden>◆ </span>
        {why.data?.sentence ?? (why.error ? errorSentence(why.error, 'asking why') : 'Asking why…')}
      </h2>
      {why.data && why.data.conditions.length > 0 && (
        <ul className="mt-2 space-y-3">
          {why.data.conditions.map((condition) => (
            <li key={`${condition.code} ${condition.what}`}>
              <p>
                {condition.what !== why.data.sentence && condition.what}
                {condition.since !== null && (
                  <span className="text-soft">
                    {' '}
                    (since <Ago at={condition.since} />)
                  </span>
                )}
              </p>
              <p className="text-soft">{condition.unblock}</p>
              {condition.command && (
                <div className="mt-1">
                  <CopyLine text={condition.command} />
                </div>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
