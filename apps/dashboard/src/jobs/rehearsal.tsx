import { type DraftRehearsalView, filterText, type JobView, type RehearsalView } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { useDeferredValue, useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { errorSentence } from '../api/api-error.ts'
import { Problem } from '../elements/dialog.tsx'
import { jobEventsQuery, type RehearsalInput, rehearsalQuery } from './job-queries.ts'
import { WhatArrives } from './what-arrives.tsx'

/** What a job would make of a stored event or of a payload. Nothing is stored and nothing runs. */
export function Rehearsal({ job, prompt }: { job: JobView; prompt?: string }) {
  const { client } = useApi()
  const [open, setOpen] = useState(false)
  const events = useQuery({ ...jobEventsQuery(client, job.id), enabled: open })
  const [eventId, setEventId] = useState<string | null>(null)
  const [text, setText] = useState('{}')
  const chosen = eventId ?? events.data?.items[0]?.id ?? ''
  const payload = readJson(text)
  const isReady = open && !events.isPending && (chosen !== '' || payload.ok)
  const shown = useDeferredValue(prompt)
  const asked: RehearsalInput = {
    id: job.id,
    ...(chosen ? { eventId: chosen } : { payload: payload.value }),
    ...(shown !== undefined && shown.trim() !== '' && { prompt: shown }),
  }
  const answer = useQuery({
    ...rehearsalQuery(client, asked),
    enabled: isReady,
    placeholderData: (before) => before,
  })
  return (
    <details className="card" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="flex min-h-11 items-center px-4 py-2.5 font-medium text-accent -outline-offset-2">
        Rehearse it with an event
      </summary>
      <div className="space-y-3 border-t border-line p-4">
        <p className="text-[13px] text-soft">Nothing is stored, and nothing runs.</p>
        <WhatArrives
          events={events.data?.items ?? []}
          eventId={chosen}
          onChoose={setEventId}
          text={text}
          payload={payload}
          onWrite={setText}
        />
        {answer.error && <Problem text={errorSentence(answer.error, 'rehearsing')} />}
        {answer.data && !answer.error && <Rehearsed view={answer.data} />}
      </div>
    </details>
  )
}

/** What came of a rehearsal; of a stored job also who would do it and where. */
export function Rehearsed({ view }: { view: DraftRehearsalView | RehearsalView }) {
  return (
    <div className="space-y-2" aria-live="polite">
      <p className={view.fires ? 'font-medium text-good' : 'font-medium text-warn'}>
        <span aria-hidden>{view.fires ? '✓ ' : '▲ '}</span>
        {view.fires ? 'It would fire.' : 'It would not fire.'}{' '}
        <span className="font-normal text-ink">{view.next}</span>
      </p>
      {view.filters.length > 0 && (
        <ul className="text-[13px]">
          {view.filters.map((filter) => (
            <li key={filterText(filter)} className={filter.holds ? 'text-soft' : 'text-warn'}>
              <span aria-hidden>{filter.holds ? '✓ ' : '✕ '}</span>
              <code className="font-mono">{filterText(filter)}</code>
              {!filter.holds && ` does not hold: it is ${filter.found ?? 'missing'}`}
            </li>
          ))}
        </ul>
      )}
      {view.missing.length > 0 && (
        <p className="text-[13px] break-words text-warn">
          <span aria-hidden>▲ </span>
          Not in this event, so filled in with nothing:{' '}
          <code className="font-mono">{view.missing.join(', ')}</code>
        </p>
      )}
      <p className="text-[13px] text-soft">
        {'agent' in view &&
          `${view.agent.key} on ${view.machine.name}, in ${view.workspace ?? 'a folder that the runner keeps'}. `}
        {view.key !== null && `Counted with “${view.key}”. `}The prompt:
      </p>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        tabIndex={0}
        className="max-h-64 overflow-auto rounded-lg bg-sunk p-3 font-sans text-[13px] break-words whitespace-pre-wrap"
      >
        {view.prompt}
      </pre>
      {view.promptCut && (
        <p className="text-[13px] text-warn">It is longer than a run may have, and would be cut.</p>
      )}
    </div>
  )
}

export function readJson(text: string): { ok: boolean; value: unknown; problem: string | null } {
  try {
    return { ok: true, value: JSON.parse(text), problem: null }
  } catch (error) {
    return { ok: false, value: null, problem: `This is no JSON: ${(error as Error).message}` }
  }
}
