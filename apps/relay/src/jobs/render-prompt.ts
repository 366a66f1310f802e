import { BatonError } from '@baton/protocol'

/**
 * Prompt templates: text with `{{ name.path }}`, values only, nothing evaluated. Names: `payload` (the event's body as
 * JSON, with a path like `payload.commits.0.id`), `event.id`, `event.source`, `event.headers.<name>`, `job.key`,
 * `job.name`, and what only one kind of trigger knows: `fire` (schedules), `changes` (files) and `push` (git), each
 * empty in events of another kind. After a `|` come `json` (the value as JSON) or `default: "text"` (when the value is
 * missing or null). Objects are written as JSON.
 */
export type TemplateFacts = {
  payload: unknown
  event: { id: string; source: string; headers?: Record<string, string> }
  job: { key: string; name: string }
  fire?: unknown
  changes?: unknown
  push?: unknown
}

type Part = { text: string } | { path: string[]; asJson: boolean; fallback: string | null }
export type Template = { parts: Part[] }

/** The first steps of names and what may follow; null: any path. `changes.…` also allows any path below it. */
export type TemplateNames = Readonly<Record<string, readonly string[] | null>>

/** `fire` is of schedules, `changes` of files, `push` of git. */
const PROMPT_NAMES = {
  payload: null,
  event: ['id', 'source', 'headers.…'],
  job: ['key', 'name'],
  fire: ['at', 'zone', 'schedule', 'late', 'missed'],
  changes: ['paths', 'paths.…', 'count', 'folder', 'overflow', 'missed'],
  push: ['branch', 'ref', 'before', 'after', 'commits', 'commits.…', 'repository', 'remote', 'hook'],
} as const satisfies Record<keyof TemplateFacts, readonly string[] | null>

/** Parses a template once. Throws `bad_input` naming what is wrong, so that a job with a broken one is never saved. */
export function parseTemplate(source: string, names: TemplateNames = PROMPT_NAMES): Template {
  const parts: Part[] = []
  let end = 0
  for (const match of source.matchAll(/\{\{(.*?)\}\}/gs)) {
    parts.push({ text: source.slice(end, match.index) })
    parts.push(parsePlaceholder(match[1] ?? '', match[0], names))
    end = match.index + match[0].length
  }
  parts.push({ text: source.slice(end) })
  return { parts: parts.filter((part) => !('text' in part) || part.text !== '') }
}

function parsePlaceholder(inside: string, whole: string, names: TemplateNames): Part {
  const match = /^\s*([A-Za-z_][\w.-]*)\s*(?:\|\s*(?:(json)|default:\s*"([^"]*)")\s*)?$/.exec(inside)
  if (!match) {
    throw new BatonError(
      'bad_input',
      `The template has ${whole}, which is no placeholder. Write {{ payload.some.field }}, {{ payload.list | json }} or {{ payload.x | default: "none" }}.`,
    )
  }
  const path = (match[1] ?? '').split('.')
  if (!isKnown(path, names)) {
    throw new BatonError(
      'bad_input',
      `The template uses ${whole}, but there is no such value. Known are ${listNames(names)}.`,
    )
  }
  if (path[0] === 'event' && path[1] === 'headers') path[2] = (path[2] ?? '').toLowerCase()
  return { path, asJson: match[2] === 'json', fallback: match[3] ?? null }
}

function isKnown([root = '', field = '', ...deeper]: string[], names: TemplateNames): boolean {
  const fields = Object.hasOwn(names, root) ? names[root] : undefined
  if (fields === undefined || fields === null) return fields === null
  return fields.includes(`${field}.…`) || (deeper.length === 0 && fields.includes(field))
}

function listNames(names: TemplateNames): string {
  const all = Object.entries(names).flatMap(([root, fields]) =>
    fields === null ? [`${root}.…`] : fields.map((field) => `${root}.${field}`),
  )
  return `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`
}

export function renderPrompt(template: Template, facts: object): string {
  let prompt = ''
  for (const part of template.parts) {
    prompt += 'text' in part ? part.text : renderValue(valueAt(facts, part.path), part.asJson, part.fallback)
  }
  return prompt
}

/** What a template names without a default and the facts do not have: each once, in the order of the template. */
export function listMissing(template: Template, facts: object): string[] {
  const missing = template.parts.flatMap((part) =>
    'text' in part || part.fallback !== null || (valueAt(facts, part.path) ?? null) !== null
      ? []
      : part.path.join('.'),
  )
  return [...new Set(missing)]
}

/** What stands at a path of the facts; undefined where there is nothing. Inherited properties are nothing. */
export function valueAt(facts: object, path: readonly string[]): unknown {
  let value: unknown = facts
  for (const step of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string, unknown>)[step]
  }
  return value
}

function renderValue(value: unknown, asJson: boolean, fallback: string | null): string {
  if (value === undefined || value === null) return fallback ?? ''
  return typeof value === 'string' && !asJson ? value : JSON.stringify(value)
}
