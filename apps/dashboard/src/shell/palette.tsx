import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useDeferredValue, useId, useState } from 'react'
import { useApi } from '../api/api-context.ts'
import { agentsQuery, jobsQuery, machinesQuery } from '../api/queries.ts'
import { Dialog } from '../elements/dialog.tsx'
import { fits } from '../elements/find-box.tsx'
import { PLACES } from './navigation.tsx'

type Goal = { id: string; kind: string; name: string; words: string[]; go: () => void }

const MOST_SHOWN = 12

/** Goes anywhere by name: pages, jobs, agents, machines, or any id that was copied. */
export function Palette({ onClose }: { onClose: () => void }) {
  const goals = useGoals()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const list = useId()
  const shown = useDeferredValue(text)
  const typedId = useIdGoal(shown.trim())
  const fitting = [
    ...(typedId ? [typedId] : []),
    ...goals.filter(({ kind, words }) => fits(shown, [kind, ...words])),
  ].slice(0, MOST_SHOWN)
  const chosen = fitting[Math.min(at, fitting.length - 1)]
  const open = (goal: Goal | undefined) => {
    if (goal === undefined) return
    onClose()
    goal.go()
  }
  return (
    <Dialog title="Go to" onClose={onClose}>
      <input
        role="combobox"
        aria-label="Page, job, agent, machine or id"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={chosen ? `${list}-${chosen.id}` : undefined}
        autoComplete="off"
        spellCheck={false}
        data-focus
        className="field"
        placeholder="Page, job, agent, machine, or an id"
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          setAt(0)
        }}
        onKeyDown={(event) => {
          const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
          if (by !== 0) setAt((at + by + fitting.length) % Math.max(1, fitting.length))
          else if (event.key === 'Enter') open(chosen)
          else return
          event.preventDefault()
        }}
      />
      <div role="listbox" id={list} aria-label="Where to" className="mt-3 min-h-40 space-y-0.5">
        {fitting.map((goal) => (
          <div
            key={goal.id}
            id={`${list}-${goal.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={goal === chosen}
            className="flex min-h-9 cursor-pointer items-center justify-between gap-3 rounded-lg px-3 hover:bg-hover aria-selected:bg-accent-soft aria-selected:text-accent"
            onClick={() => open(goal)}
            onKeyDown={(event) => event.key === 'Enter' && open(goal)}
          >
            <span className="min-w-0 truncate font-medium">{goal.name}</span>
            <span className="text-[13px] text-soft">{goal.kind}</span>
          </div>
        ))}
      </div>
      {fitting.length === 0 && <p className="text-soft">Nothing has that in its name.</p>}
    </Dialog>
  )
}

function useGoals(): Goal[] {
  const { client } = useApi()
  const navigate = useNavigate()
  const jobs = useQuery(jobsQuery(client))
  const agents = useQuery(agentsQuery(client))
  const machines = useQuery(machinesQuery(client))
  return [
    ...PLACES.map(({ to, label }) => ({
      id: to,
      kind: 'page',
      name: label,
      words: [label],
      go: () => void navigate({ to }),
    })),
    {
      id: 'new-job',
      kind: 'action',
      name: 'New job',
      words: ['New job', 'create'],
      go: () => void navigate({ to: '/jobs/new' }),
    },
    ...(jobs.data ?? []).map(({ id, key, name }) => ({
      id,
      kind: 'job',
      name,
      words: [key, name],
      go: () => void navigate({ to: '/jobs/$job', params: { job: key } }),
    })),
    ...(agents.data ?? []).map(({ id, key, name }) => ({
      id,
      kind: 'agent',
      name: key,
      words: [key, name],
      go: () => void navigate({ to: '/agents/$agent', params: { agent: key } }),
    })),
    ...(machines.data ?? []).map(({ id, name }) => ({
      id,
      kind: 'machine',
      name,
      words: [name],
      go: () => void navigate({ to: '/machines/$machine', params: { machine: id } }),
    })),
  ]
}

/** An id that was pasted, or the beginning of a run's, leads to its page. */
function useIdGoal(text: string): Goal | null {
  const navigate = useNavigate()
  const kind = /^(run|dlv|evt|job|agt|mch)_[0-9a-f]{4,}$/.exec(text)?.[1]
  if (kind === undefined) return null
  const goal = (name: string, go: () => void): Goal => ({
    id: text,
    kind: name,
    name: text,
    words: [text],
    go,
  })
  switch (kind) {
    case 'evt':
      return goal('event', () => void navigate({ to: '/events/$event', params: { event: text } }))
    case 'job':
      return goal('job', () => void navigate({ to: '/jobs/$job', params: { job: text } }))
    case 'agt':
      return goal('agent', () => void navigate({ to: '/agents/$agent', params: { agent: text } }))
    case 'mch':
      return goal('machine', () => void navigate({ to: '/machines/$machine', params: { machine: text } }))
    default:
      return goal('run', () => void navigate({ to: '/runs/$runId', params: { runId: text } }))
  }
}
