import { STATUS_SHAPES, type StatusWord } from '@baton/protocol'

/** Which runs are shown, as it stands in the address. `trouble`: what a person should look at. */
export type RunsSearch = {
  status?: StatusWord | 'open' | 'trouble'
  machine?: string
  job?: string
  agent?: string
}

const GROUPS: Record<'open' | 'trouble', StatusWord[]> = {
  open: ['queued', 'starting', 'running', 'waiting', 'asleep'],
  trouble: ['failed', 'lost', 'warning', 'waiting', 'asleep'],
}

/** The words that a choice of status stands for. */
export const statusesOf = (status: NonNullable<RunsSearch['status']>): StatusWord[] =>
  status === 'open' || status === 'trouble' ? GROUPS[status] : [status]

export function readRunsSearch(search: Record<string, unknown>): RunsSearch {
  const { status } = search
  return {
    ...(typeof status === 'string' &&
      (Object.hasOwn(GROUPS, status) || Object.hasOwn(STATUS_SHAPES, status)) && {
        status: status as NonNullable<RunsSearch['status']>,
      }),
    ...textOf(search, 'machine'),
    ...textOf(search, 'job'),
    ...textOf(search, 'agent'),
  }
}

/** A text of the address by its name; left out when it is none. */
export function textOf<K extends string>(search: Record<string, unknown>, key: K): { [name in K]?: string } {
  const value = search[key]
  return (typeof value === 'string' && value !== '' ? { [key]: value } : {}) as { [name in K]?: string }
}
