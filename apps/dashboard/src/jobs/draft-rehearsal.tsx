import type { NewTriggerInput } from '@baton/protocol'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { useDeferredValue, useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { errorSentence } from '../api/api-error.ts'
import type { Client } from '../api/client.ts'
import { Problem } from '../elements/dialog.tsx'
import { Field } from '../elements/field.tsx'
import type { JobDraft } from './job-draft.ts'
import { draftRehearsalQuery } from './job-queries.ts'
import { Rehearsed, readJson } from './rehearsal.tsx'
import { toTriggerInput } from './trigger-draft.ts'
import { WhatArrives } from './what-arrives.tsx'

const newestEventsQuery = (client: Client) =>
  queryOptions({
    queryKey: ['newest-events'],
    queryFn: ({ signal }) => client.events.list.query({ limit: 20 }, { signal }),
    staleTime: 30_000,
  })

const SAMPLES: Partial<Record<NewTriggerInput['kind'], object>> = {
  webhook: { ref: 'refs/heads/main', title: 'An example', sender: { login: 'ada' } },
  github: { action: 'opened', issue: { number: 1, title: 'An example' }, sender: { login: 'ada' } },
}

/** What a job that is being written would make of an event or a payload, before it is saved. */
export function DraftRehearsal({ draft }: { draft: JobDraft }) {
  const { client } = useApi()
  const [open, setOpen] = useState(false)
  const events = useQuery({ ...newestEventsQuery(client), enabled: open })
  const [eventId, setEventId] = useState('')
  const [at, setAt] = useState(0)
  const trigger = draft.triggers[at] ?? draft.triggers[0]
  const [written, setWritten] = useState<string | null>(null)
  const text = written ?? JSON.stringify(SAMPLES[trigger?.kind ?? 'cron'] ?? {}, null, 2)
  const payload = readJson(text)
  const asked = useDeferredValue({
    prompt: draft.prompt,
    ...(draft.key && { key: draft.key }),
    ...(draft.name.trim() && { name: draft.name.trim() }),
    ...(draft.agent && { agent: draft.agent }),
    ...(trigger && { trigger: toTriggerInput(trigger) }),
    ...(eventId ? { eventId } : { payload: payload.value }),
  })
  const isReady = open && draft.prompt.trim() !== '' && (eventId !== '' || payload.ok)
  const answer = useQuery({
    ...draftRehearsalQuery(client, asked),
    enabled: isReady,
    placeholderData: (before) => before,
  })
  return (
    <details className="card" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="flex min-h-11 items-center px-4 py-2.5 font-medium text-accent -outline-offset-2">
        Try the prompt before it is saved
      </summary>
      <div className="space-y-3 border-t border-line p-4">
        <p className="text-[13px] text-soft">Nothing is stored, and nothing runs.</p>
        {draft.triggers.length > 1 && (
          <Field label="Fired by">
            <select className="field" value={at} onChange={(event) => setAt(Number(event.target.value))}>
              {draft.triggers.map(({ kind }, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a trigger that is typed is known by its place.
                <option key={index} value={index}>
                  trigger {index + 1}: {kind.replaceAll('_', ' ')}
                </option>
              ))}
            </select>
          </Field>
        )}
        <WhatArrives
          events={events.data?.items ?? []}
          eventId={eventId}
          onChoose={setEventId}
          text={text}
          payload={payload}
          onWrite={setWritten}
        />
        {draft.prompt.trim() === '' && <p className="text-soft">Write a prompt first.</p>}
        {isReady && answer.error && <Problem text={errorSentence(answer.error, 'rehearsing')} />}
        {isReady && answer.data && !answer.error && <Rehearsed view={answer.data} />}
      </div>
    </details>
  )
}
