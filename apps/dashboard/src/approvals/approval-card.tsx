import { type ApprovalScope, type ApprovalView, QUESTION_TOOL } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Check, X } from 'lucide-react'
import { useId, useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { meQuery } from '../api/queries.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { Problem } from '../elements/dialog.tsx'
import { formatDuration } from '../elements/format.ts'
import { Ago, useNow } from '../elements/time.tsx'
import { ActionText } from './action-text.tsx'
import { ScopeChoice } from './scope-choice.tsx'

/** One question of an agent: exactly what it wants to do, where and until when, and the answer. */
export function ApprovalCard({ approval, withRun = false }: { approval: ApprovalView; withRun?: boolean }) {
  const isQuestion = approval.tool === QUESTION_TOOL
  const titleId = useId()
  return (
    <section
      aria-labelledby={titleId}
      className="rounded-xl border border-warn/60 bg-card shadow-sm [border-left-width:4px]"
    >
      <div className="space-y-3 px-4 py-3">
        <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
          <h2 id={titleId} className="font-semibold">
            <span aria-hidden className="text-warn">
              ◆{' '}
            </span>
            {approval.agent.name} {isQuestion ? 'asks you' : 'asks to use'}{' '}
            {!isQuestion && <span className="font-mono">{approval.tool}</span>}
          </h2>
          <p className="text-[13px] text-soft">
            denied in <TimeLeft until={approval.expiresAt} />
          </p>
        </div>
        <ActionText approval={approval} />
        <p className="flex flex-wrap gap-x-1.5 text-[13px] text-soft">
          <span>
            in <span className="font-mono text-xs break-all text-ink">{approval.cwd}</span> on{' '}
            {approval.machine.name}, asked <Ago at={approval.askedAt} />
          </span>
          {withRun && (
            <Link
              to="/runs/$runId"
              params={{ runId: approval.run.id }}
              className="font-medium text-accent hover:underline"
            >
              See its run
            </Link>
          )}
        </p>
        <Answer approval={approval} isQuestion={isQuestion} />
      </div>
    </section>
  )
}

const HURRY_MS = 120_000

function TimeLeft({ until }: { until: number }) {
  const now = useNow(1_000)
  const left = Math.max(0, until - now)
  return (
    <span className={`whitespace-nowrap tabular-nums ${left < HURRY_MS ? 'font-medium text-bad' : ''}`}>
      {formatDuration(left)}
    </span>
  )
}

type Given = { decision: 'allow' | 'deny'; scope: ApprovalScope; pattern?: string; message?: string }

function Answer({ approval, isQuestion }: { approval: ApprovalView; isQuestion: boolean }) {
  const { client } = useApi()
  const me = useQuery(meQuery(client))
  const [scope, setScope] = useState<ApprovalScope>('once')
  const [pattern, setPattern] = useState(approval.pattern ?? approval.tool)
  const [message, setMessage] = useState('')
  const field = useId()
  const answer = useAction('answering', (api, given: Given) =>
    api.approvals.answer.mutate({ id: approval.id, ...given }),
  )
  if (me.data?.role === 'viewer') return <p className="text-soft">Viewers can look but not answer.</p>
  const words = message.trim() === '' ? {} : { message: message.trim() }
  const allow = () =>
    answer.start({ decision: 'allow', scope, ...(scope === 'once' ? {} : { pattern }), ...words })
  const deny = () => answer.start({ decision: 'deny', scope: 'once', ...words })
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault()
        // Enter after the words that go with a no must never be a yes.
        if (isQuestion) allow()
      }}
    >
      {!isQuestion && approval.pattern !== null && (
        <ScopeChoice
          job={approval.job}
          scope={scope}
          pattern={pattern}
          onScope={setScope}
          onPattern={setPattern}
        />
      )}
      <Problem text={answer.problem} />
      <div className="flex flex-wrap items-end gap-2">
        <label htmlFor={field} className="block min-w-0 flex-1 basis-64 space-y-1">
          <span className="text-[13px] text-soft">
            {isQuestion ? 'Your answer' : 'A word to the agent, told with a no (optional)'}
          </span>
          <input
            id={field}
            className="field"
            autoComplete="off"
            value={message}
            onChange={(event) => setMessage(event.target.value)}
          />
        </label>
        <Button
          type={isQuestion ? 'submit' : 'button'}
          onClick={isQuestion ? undefined : allow}
          look="main"
          icon={<Check size={15} aria-hidden />}
          disabled={answer.busy || (isQuestion && message.trim() === '')}
        >
          {isQuestion ? 'Answer' : 'Allow'}
        </Button>
        <Button look="danger" icon={<X size={15} aria-hidden />} disabled={answer.busy} onClick={deny}>
          {isQuestion ? 'Do not answer' : 'Deny'}
        </Button>
      </div>
    </form>
  )
}
