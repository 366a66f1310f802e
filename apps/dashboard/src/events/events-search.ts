import {
  EVENT_SOURCES,
  EVENT_STATES,
  type EventSource,
  type EventState,
  IGNORED_REASONS,
  type IgnoredReason,
} from '@baton/protocol'

/** The filter of the inbox, as it stands in the address. */
export type EventsSearch = {
  job?: string
  state?: EventState
  reason?: IgnoredReason
  source?: EventSource
  text?: string
  days?: number
  /** An event that older links name here: they are led to its page. */
  event?: string
}

/** Keeps what can be right and drops the rest, whatever somebody typed into the address. */
export function readEventsSearch(search: Record<string, unknown>): EventsSearch {
  const { state, reason, source, days } = search
  // The router reads a text of digits as a number.
  const text = (key: string) => {
    const value = search[key]
    const isText = (typeof value === 'string' && value !== '') || typeof value === 'number'
    return isText ? { [key]: String(value) } : {}
  }
  return {
    ...text('job'),
    ...text('event'),
    ...text('text'),
    ...(isOneOf(EVENT_STATES, state) && { state }),
    ...(isOneOf(IGNORED_REASONS, reason) && { reason }),
    ...(isOneOf(EVENT_SOURCES, source) && { source }),
    ...(typeof days === 'number' && days > 0 && { days }),
  }
}

function isOneOf<T extends string>(all: readonly T[], value: unknown): value is T {
  return all.includes(value as T)
}
