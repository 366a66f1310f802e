import { type FilterFinding, filterText, matchesGlob, type TriggerFilter } from '@baton/protocol'
import { type TemplateFacts, valueAt } from './render-prompt.ts'

/** Longer texts are compared up to here by `glob`, whose time grows with them. */
const GLOB_TEXT = 10_000
const SHOWN = 200

/** What each filter finds in an event. All must hold for its trigger to fire. */
export function matchFilters(filters: readonly TriggerFilter[], facts: TemplateFacts): FilterFinding[] {
  return filters.map((filter) => {
    const value = valueAt(facts, pathOf(filter.field))
    return { ...filter, holds: holds(filter, value), found: shown(value) }
  })
}

/** The first filter that does not hold, as a sentence; null when all do. */
export function filteredBecause(findings: readonly FilterFinding[]): string | null {
  const missed = findings.find((finding) => !finding.holds)
  if (!missed) return null
  return `The filter "${filterText(missed)}" does not hold: ${missed.field} is ${missed.found ?? 'not there'}.`
}

function pathOf(field: string): string[] {
  const path = field.split('.')
  return path[0] === 'event' ? ['event', 'headers', path.slice(2).join('.').toLowerCase()] : path
}

function holds({ op, value: wanted }: TriggerFilter, value: unknown): boolean {
  const isThere = value !== undefined && value !== null
  switch (op) {
    case 'exists':
      return isThere
    case 'missing':
      return !isThere
    case 'eq':
      return isSame(value, wanted)
    case 'ne':
      return !isSame(value, wanted)
    case 'in':
      return Array.isArray(wanted) && wanted.some((one) => isSame(value, one))
    case 'prefix':
      return typeof value === 'string' && typeof wanted === 'string' && value.startsWith(wanted)
    case 'glob':
      return (
        typeof value === 'string' &&
        typeof wanted === 'string' &&
        value.length <= GLOB_TEXT &&
        matchesGlob(wanted, value)
      )
    case 'gt':
    case 'lt': {
      const number = numberOf(value)
      if (number === null || typeof wanted !== 'number') return false
      return op === 'gt' ? number > wanted : number < wanted
    }
  }
}

/** `5` and `"5"` are the same, because headers and command lines have only texts. Objects are never the same. */
function isSame(value: unknown, wanted: unknown): boolean {
  if (!isScalar(value) || !isScalar(wanted)) return (value ?? null) === null && wanted === null
  return value === wanted || String(value) === String(wanted)
}

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'

function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
    ? Number(value)
    : null
}

function shown(value: unknown): string | null {
  if (value === undefined || value === null) return null
  const text = JSON.stringify(value)
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`
}
