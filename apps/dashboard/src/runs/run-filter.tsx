import type { StatusWord } from '@baton/protocol'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/api-context.ts'
import { agentsQuery, jobsQuery, machinesQuery } from '../api/queries.ts'
import { Button } from '../elements/button.tsx'
import { statusLabel } from '../elements/status-mark.tsx'
import type { RunsSearch } from './runs-search.ts'

const WORDS: StatusWord[] = [
  'queued',
  'starting',
  'running',
  'waiting',
  'asleep',
  'done',
  'warning',
  'failed',
  'stopped',
  'lost',
]

type RunFilterProps = { search: RunsSearch; onChange: (search: RunsSearch) => void }
type Option = [value: string, label: string]

/** Which runs are shown. What is chosen stands in the address. */
export function RunFilter({ search, onChange }: RunFilterProps) {
  const { client } = useApi()
  const jobs = useQuery(jobsQuery(client))
  const agents = useQuery(agentsQuery(client))
  const machines = useQuery(machinesQuery(client))
  const choice = (name: keyof RunsSearch, label: string, options: Option[]) => (
    <Choice
      label={label}
      value={search[name] ?? ''}
      options={options}
      onChange={(value) => {
        const { [name]: _, ...rest } = search
        onChange(value === '' ? rest : { ...rest, [name]: value })
      }}
    />
  )
  return (
    <search className="mb-3 grid grid-cols-2 items-center gap-2 sm:flex sm:flex-wrap">
      {choice('status', 'Status', [
        ['', 'any status'],
        ['open', 'not finished'],
        ['trouble', 'needs a look'],
        ...WORDS.map((word): Option => [word, statusLabel(word)]),
      ])}
      {choice('job', 'Job', [['', 'any job'], ...optionsOf(jobs.data, ({ name }) => name)])}
      {choice('agent', 'Agent', [['', 'any agent'], ...optionsOf(agents.data, ({ key }) => key)])}
      {choice('machine', 'Machine', [['', 'any machine'], ...optionsOf(machines.data, ({ name }) => name)])}
      {Object.keys(search).length > 0 && (
        <Button small look="bare" onClick={() => onChange({})}>
          Show all
        </Button>
      )}
    </search>
  )
}

const optionsOf = <T extends { id: string }>(all: readonly T[] | undefined, name: (one: T) => string) =>
  (all ?? []).map((one): Option => [one.id, name(one)])

type ChoiceProps = { label: string; value: string; options: Option[]; onChange: (value: string) => void }

/** What is chosen and is in no list (any more, or not yet) is shown as itself. */
function Choice({ label, value, options, onChange }: ChoiceProps) {
  const isListed = options.some(([one]) => one === value)
  return (
    <select
      aria-label={label}
      className="field min-w-0 sm:w-auto sm:max-w-48"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      {!isListed && <option value={value}>one {label.toLowerCase()}</option>}
      {options.map(([one, text]) => (
        <option key={one} value={one}>
          {text}
        </option>
      ))}
    </select>
  )
}
