import { type ControlState, type ControlView, RUNTIME_CAPABILITIES, type RunView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { Hand, SendHorizontal } from 'lucide-react'
import { useId, useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { meQuery } from '../api/queries.ts'
import { randomKey } from '../api/random-key.ts'
import { useAction } from '../api/use-action.ts'
import { Button } from '../elements/button.tsx'
import { Problem } from '../elements/dialog.tsx'
import { controlsQuery } from './approval-queries.ts'

/** A message into the running run, and an interrupt of what it does, where its runtime can take them. */
export function SteerBox({ run }: { run: RunView }) {
  const { client } = useApi()
  const me = useQuery(meQuery(client))
  const can = RUNTIME_CAPABILITIES[run.agent.runtime]
  const told = useQuery(controlsQuery(client, run.id))
  const [text, setText] = useState('')
  const [key, setKey] = useState(randomKey)
  const field = useId()
  const steer = useAction('saying it', (api, said: { text: string; idempotencyKey: string }) =>
    api.runs.steer.mutate({ id: run.id, ...said }),
  )
  const interrupt = useAction('interrupting', (api, id: string) => api.runs.interrupt.mutate({ id }))
  if (me.data === undefined || me.data.role === 'viewer' || !can.includes('steer')) return null
  const send = () =>
    steer.start({ text: text.trim(), idempotencyKey: key }, () => {
      setText('')
      setKey(randomKey())
    })
  return (
    <div className="space-y-2">
      <ToldList told={told.data ?? []} />
      <Problem text={steer.problem ?? interrupt.problem} />
      <form
        className="flex items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault()
          if (text.trim() !== '') send()
        }}
      >
        <label htmlFor={field} className="min-w-0 flex-1">
          <span className="sr-only">Say something to {run.agent.name} while it works</span>
          <input
            id={field}
            className="field"
            autoComplete="off"
            placeholder={`Say something to ${run.agent.name} while it works`}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <Button
          type="submit"
          look="main"
          disabled={steer.busy || text.trim() === ''}
          icon={<SendHorizontal size={15} aria-hidden />}
        >
          Send
        </Button>
        {can.includes('interrupt') && (
          <Button
            disabled={interrupt.busy}
            icon={<Hand size={15} aria-hidden />}
            title="Ends what the agent does right now"
            onClick={() => interrupt.start(run.id)}
          >
            <span className="max-sm:sr-only">Interrupt</span>
          </Button>
        )}
      </form>
    </div>
  )
}

const WORDS: Record<ControlState, string> = {
  queued: '◌ on its way',
  delivered: '◔ queued by the agent',
  consumed: '✓ taken up',
  indeterminate: '? not known whether it was taken up',
  refused: '✕ not taken',
  lapsed: '✕ too late',
}
const MOST_SHOWN = 3

/** The last things that were said and are not yet, or were not, taken up: what was taken up is in the log. */
function ToldList({ told }: { told: ControlView[] }) {
  const shown = told.filter(({ kind, state }) => kind === 'steer' && state !== 'consumed').slice(-MOST_SHOWN)
  if (shown.length === 0) return null
  return (
    <ul aria-label="What was said" className="space-y-1 text-[13px]">
      {shown.map(({ id, text, state, reason }) => (
        <li key={id} className="flex flex-wrap justify-between gap-x-3 rounded-lg bg-sunk px-3 py-1.5">
          <span className="min-w-0 break-words">{text}</span>
          <span className="text-soft">
            {WORDS[state]}
            {reason && `: ${reason}`}
          </span>
        </li>
      ))}
    </ul>
  )
}
