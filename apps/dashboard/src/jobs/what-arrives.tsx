import type { EventView } from '@baton/protocol'
import { Field } from '../elements/field.tsx'
import { formatMoment } from '../elements/format.ts'
import { titleOfEvent } from '../events/outcome-of.ts'
import type { readJson } from './rehearsal.tsx'

/** What a rehearsal is done with: a stored event, or a payload that is written here (`eventId` is empty then). */
export function WhatArrives(props: {
  events: Pick<EventView, 'id' | 'receivedAt' | 'source' | 'job'>[]
  eventId: string
  onChoose: (eventId: string) => void
  text: string
  payload: ReturnType<typeof readJson>
  onWrite: (text: string) => void
}) {
  return (
    <>
      <Field label="What arrives">
        <select
          className="field"
          value={props.eventId}
          onChange={(event) => props.onChoose(event.target.value)}
        >
          <option value="">a payload that I write</option>
          {props.events.map((event) => (
            <option key={event.id} value={event.id}>
              {titleOfEvent(event)}, {formatMoment(event.receivedAt)}
            </option>
          ))}
        </select>
      </Field>
      {props.eventId === '' && (
        <Field label="Payload (JSON)" problem={props.payload.ok ? null : props.payload.problem}>
          <textarea
            className="field min-h-24 font-mono text-[13px]"
            spellCheck={false}
            value={props.text}
            onChange={(event) => props.onWrite(event.target.value)}
          />
        </Field>
      )}
    </>
  )
}
