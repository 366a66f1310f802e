import { RUNTIME_CAPABILITIES, type RunView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { SendHorizontal } from 'lucide-react'
import { useId, useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { meQuery } from '../api/queries.ts'
import { randomKey } from '../api/random-key.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { Problem } from '../elements/dialog.tsx'

/** One more message in the conversation of a run that has ended; it becomes a run of its own. */
export function FollowUp({ run }: { run: RunView }) {
  const { client } = useApi()
  const me = useQuery(meQuery(client))
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const [idempotencyKey] = useState(randomKey)
  const field = useId()
  const go = useAction('going on with the conversation', (api, prompt: string) =>
    api.runs.create.mutate({ prompt, agent: run.agent.key, continue: run.id, idempotencyKey }),
  )
  const canResume = RUNTIME_CAPABILITIES[run.agent.runtime].includes('resume') && run.sessionId !== null
  if (!canResume || me.data === undefined || me.data.role === 'viewer') return null
  return (
    <div className="space-y-2 pt-3">
      <Problem text={go.problem} />
      <form
        className="flex items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault()
          if (text.trim() === '') return
          go.start(text.trim(), ({ runId }) => void navigate({ to: '/runs/$runId', params: { runId } }))
        }}
      >
        <label htmlFor={field} className="min-w-0 flex-1">
          <span className="sr-only">Go on with this conversation</span>
          <input
            id={field}
            className="field"
            autoComplete="off"
            placeholder={
              run.outcome === 'needs_input'
                ? `Answer ${run.agent.name}`
                : `Go on: ${run.agent.name} remembers this conversation`
            }
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <Button
          type="submit"
          look="main"
          disabled={go.busy || text.trim() === ''}
          icon={<SendHorizontal size={15} aria-hidden />}
        >
          {go.busy ? 'One moment…' : 'Send'}
        </Button>
      </form>
    </div>
  )
}
