import { EVENT_SOURCES, EVENT_STATES, IGNORED_REASONS } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { Search } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { jobsQuery } from '../api/queries.ts'
import { Button } from '../elements/button.tsx'
import type { EventsSearch } from './events-search.ts'

const STATE_WORDS = {
  accepted: 'stored, not matched yet',
  matched: 'started something',
  ignored: 'started nothing',
}
const TYPING_MS = 300

type EventFilterProps = { search: EventsSearch; onChange: (search: EventsSearch) => void }

/** Which events are shown. */
export function EventFilter({ search, onChange }: EventFilterProps) {
  const { client } = useApi()
  const jobs = useQuery(jobsQuery(client))
  const set = (name: keyof EventsSearch, value: string) => {
    const { [name]: _, ...rest } = search
    onChange(value === '' ? rest : { ...rest, [name]: name === 'days' ? Number(value) : value })
  }
  const choice = (name: keyof EventsSearch, label: string, options: [value: string, label: string][]) => (
    <select
      aria-label={label}
      className="field min-w-0 sm:w-auto sm:max-w-44"
      value={search[name] ?? ''}
      onChange={(event) => set(name, event.target.value)}
    >
      {options.map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  )
  return (
    <search className="mb-3 grid grid-cols-2 items-center gap-2 sm:flex sm:flex-wrap">
      <TextFilter text={search.text ?? ''} onChange={(text) => set('text', text)} />
      {choice('source', 'Source', [
        ['', 'any source'],
        ...EVENT_SOURCES.map((one): [string, string] => [one, one.replaceAll('_', ' ')]),
      ])}
      {choice('state', 'Outcome', [
        ['', 'any outcome'],
        ...EVENT_STATES.map((one): [string, string] => [one, STATE_WORDS[one]]),
      ])}
      {(search.state === 'ignored' || search.reason) &&
        choice('reason', 'Reason', [
          ['', 'any reason'],
          ...IGNORED_REASONS.map((one): [string, string] => [one, one.replaceAll('_', ' ')]),
        ])}
      {choice('job', 'Job', [
        ['', 'any job'],
        ...(jobs.data ?? []).map((one): [string, string] => [one.id, one.key]),
      ])}
      {choice('days', 'Time', [
        ['', 'any time'],
        ['1', 'the last day'],
        ['7', 'the last 7 days'],
        ['30', 'the last 30 days'],
      ])}
      {Object.keys(search).length > 0 && (
        <Button small look="bare" onClick={() => onChange({})}>
          Show all
        </Button>
      )}
    </search>
  )
}

/** Goes into the address once nothing was typed for a moment. */
function TextFilter({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const [typed, setTyped] = useState(text)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => setTyped(text), [text])
  useEffect(() => () => clearTimeout(timer.current), [])
  const type = (value: string) => {
    setTyped(value)
    clearTimeout(timer.current)
    // The API searches for two characters or more.
    if (value.length !== 1) timer.current = setTimeout(() => onChange(value), TYPING_MS)
  }
  return (
    <label className="relative min-w-48 flex-1 max-sm:col-span-2">
      <span className="sr-only">Text in the body or the headers</span>
      <Search size={15} aria-hidden className="absolute top-1/2 left-2.5 -translate-y-1/2 text-soft" />
      <input
        type="search"
        className="field pl-8"
        placeholder="Text that it contains"
        value={typed}
        onChange={(event) => type(event.target.value)}
      />
    </label>
  )
}
