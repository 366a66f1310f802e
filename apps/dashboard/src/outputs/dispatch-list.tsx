import type { DispatchId, DispatchView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { dispatchQuery } from '../api/queries.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { Problem } from '../elements/dialog.tsx'
import { formatDuration, formatMoment } from '../elements/format.ts'
import { Loaded } from '../elements/page.tsx'
import { Ago } from '../elements/time.tsx'
import { DispatchMark } from './dispatch-mark.tsx'

type ListProps = { dispatches: readonly DispatchView[]; label: string; withRun?: boolean }

/** What was and is to be sent, with why and when next, and what a person can do about it. */
export function DispatchList({ dispatches, label, withRun = false }: ListProps) {
  return (
    <ul aria-label={label} className="card divide-y divide-line">
      {dispatches.map((dispatch) => (
        <DispatchRow key={dispatch.id} dispatch={dispatch} withRun={withRun} />
      ))}
    </ul>
  )
}

function DispatchRow({ dispatch, withRun }: { dispatch: DispatchView; withRun: boolean }) {
  const [open, setOpen] = useState(false)
  const again = useAction('sending it again', (api, id: DispatchId) =>
    api.dispatches.sendAgain.mutate({ id }),
  )
  const skip = useAction('skipping it', (api, id: DispatchId) => api.dispatches.skip.mutate({ id }))
  const { state, tries } = dispatch
  const isUnsent =
    state === 'failed' || state === 'dead' || state === 'skipped' || (state === 'pending' && tries > 0)
  return (
    <li className="space-y-1.5 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
        <DispatchMark state={state} />
        <span className="font-medium">{dispatch.kind}</span>
        <span className="min-w-0 break-all text-soft">{dispatch.target}</span>
      </div>
      <p className="break-words">{dispatch.sentence}</p>
      <p className="flex flex-wrap gap-x-3 text-[13px] text-soft">
        <span>
          <Ago at={dispatch.sentAt ?? dispatch.createdAt} />
        </span>
        {withRun && dispatch.job && <span>{dispatch.job.key}</span>}
        {withRun && dispatch.runId && (
          <Link
            to="/runs/$runId"
            params={{ runId: dispatch.runId }}
            className="font-medium text-accent hover:underline"
          >
            Its run
          </Link>
        )}
        {dispatch.url && (
          <a
            href={dispatch.url}
            rel="noreferrer"
            target="_blank"
            className="font-medium text-accent hover:underline"
          >
            Open
          </a>
        )}
      </p>
      <div className="flex flex-wrap gap-2">
        {isUnsent && (
          <Button small disabled={again.busy} onClick={() => again.start(dispatch.id)}>
            {state === 'pending' ? 'Try now' : 'Send again'}
          </Button>
        )}
        {state === 'pending' && (
          <Button small look="bare" disabled={skip.busy} onClick={() => skip.start(dispatch.id)}>
            Skip
          </Button>
        )}
        {(tries > 0 || dispatch.content !== null) && (
          <Button small look="bare" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Less' : 'More'}
          </Button>
        )}
      </div>
      <Problem text={again.problem ?? skip.problem} />
      {open && <Tries id={dispatch.id} />}
    </li>
  )
}

function Tries({ id }: { id: DispatchId }) {
  const { client } = useApi()
  const answer = useQuery(dispatchQuery(client, id))
  return (
    <Loaded answer={answer} of="its tries">
      {({ attempts, content, externalId }) => (
        <div className="space-y-2 text-[13px]">
          {content !== null && (
            <pre className="max-h-64 overflow-auto rounded-lg bg-sunk p-3 font-mono text-[12.5px] break-words whitespace-pre-wrap">
              {content}
            </pre>
          )}
          <ol className="space-y-0.5 rounded-lg bg-sunk p-3">
            {attempts.map((one) => (
              <li key={one.at} className="break-words">
                <span className="text-soft">{formatMoment(one.at)}</span> {one.result}
                {one.tookMs !== null && ` after ${formatDuration(one.tookMs)}`}
                {one.why !== null && `: ${one.why}`}
              </li>
            ))}
          </ol>
          {externalId !== null && (
            <p className="break-all text-soft">
              There it is <code className="font-mono">{externalId}</code>
            </p>
          )}
        </div>
      )}
    </Loaded>
  )
}
