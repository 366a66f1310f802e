import {
  DEFAULT_IGNORES,
  FILTER_OPS,
  type FilterOp,
  GITHUB_TRIGGER_EVENTS,
  type GithubFeedback,
  type GithubTriggerEvent,
  type Misfire,
  type NewTriggerInput,
  type TriggerChange,
  type TriggerFilter,
  type TriggerView,
  type WebhookScheme,
} from '@baton/protocol'

export type TriggerDraftKind = NewTriggerInput['kind']
export type FilterDraft = { field: string; op: FilterOp; value: string }

/** A trigger as its form holds it: texts as they are typed, for every kind at once. Lists are separated by commas. */
export type TriggerDraft = {
  kind: TriggerDraftKind
  scheme: WebhookScheme
  path: string
  acceptUnsigned: boolean
  filters: FilterDraft[]
  expression: string
  zone: string
  everyMs: number | null
  misfire: Misfire
  folder: string
  globs: string
  ignore: string
  quietMs: number | null
  branches: string
  event: GithubTriggerEvent
  actions: string
  repositories: string
  paths: string
  labels: string
  actors: string
  command: string
  mention: boolean
  forks: boolean
  feedback: GithubFeedback
}

export { FILTER_OPS, GITHUB_TRIGGER_EVENTS }

export const myZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'

export function newTrigger(kind: TriggerDraftKind): TriggerDraft {
  return {
    kind,
    scheme: 'baton',
    path: '',
    acceptUnsigned: false,
    filters: [],
    expression: '0 9 * * 1-5',
    zone: myZone(),
    everyMs: 3_600_000,
    misfire: { policy: 'last', max: 10 },
    folder: '',
    globs: '**',
    ignore: DEFAULT_IGNORES.join(', '),
    quietMs: 2_000,
    branches: kind === 'git_push' ? '**' : '',
    event: 'pull_request',
    actions: '',
    repositories: '',
    paths: '',
    labels: '',
    actors: '',
    command: '',
    mention: false,
    forks: false,
    feedback: { reaction: true, comment: true, check: true, resultComment: false, pullRequest: false },
  }
}

/** The draft of a trigger that exists; null for kinds that have nothing to set. */
export function draftOf(view: TriggerView): TriggerDraft | null {
  if (view.kind === 'manual') return null
  const empty = newTrigger(view.kind)
  switch (view.kind) {
    case 'webhook': {
      const { scheme, path, acceptUnsigned } = view
      return { ...empty, scheme, path, acceptUnsigned, filters: view.filters.map(filterDraft) }
    }
    case 'cron':
      return { ...empty, expression: view.expression, zone: view.zone, misfire: view.misfire }
    case 'interval':
      return { ...empty, everyMs: view.everyMs, misfire: view.misfire }
    case 'file_change':
      return {
        ...empty,
        folder: view.folder,
        globs: view.globs.join(', '),
        ignore: view.ignore.join(', '),
        quietMs: view.quietMs,
      }
    case 'git_push':
      return { ...empty, branches: view.branches.join(', ') }
    case 'github':
      return {
        ...empty,
        event: view.event,
        actions: view.actions.join(', '),
        repositories: view.repositories.join(', '),
        branches: view.branches.join(', '),
        paths: view.paths.join(', '),
        labels: view.labels.join(', '),
        actors: view.actors.join(', '),
        command: view.command ?? '',
        mention: view.mention,
        forks: view.forks,
        feedback: view.feedback,
      }
  }
}

/** What `jobs.create` and `jobs.addTrigger` take. */
export function toTriggerInput(draft: TriggerDraft): NewTriggerInput {
  const change = toTriggerChange(draft)
  if (change.kind === 'webhook')
    return { ...change, scheme: draft.scheme, ...(draft.path && { path: draft.path }) }
  if (change.kind === 'github') return { ...change, event: draft.event }
  return change as NewTriggerInput
}

/** What `jobs.updateTrigger` takes: all of its kind that can be changed. */
export function toTriggerChange(draft: TriggerDraft): TriggerChange {
  switch (draft.kind) {
    case 'webhook':
      return {
        kind: 'webhook',
        acceptUnsigned: draft.acceptUnsigned,
        filters: draft.filters.filter(({ field }) => field !== '').map(toFilter),
      }
    case 'cron':
      return { kind: 'cron', expression: draft.expression, zone: draft.zone, misfire: draft.misfire }
    case 'interval':
      return { kind: 'interval', everyMs: draft.everyMs ?? 0, misfire: draft.misfire }
    case 'file_change':
      return {
        kind: 'file_change',
        folder: draft.folder,
        globs: words(draft.globs),
        ignore: words(draft.ignore),
        quietMs: draft.quietMs ?? 2_000,
      }
    case 'git_push':
      return { kind: 'git_push', branches: words(draft.branches) }
    case 'github':
      return {
        kind: 'github',
        actions: words(draft.actions),
        repositories: words(draft.repositories),
        branches: words(draft.branches),
        paths: words(draft.paths),
        labels: words(draft.labels),
        actors: words(draft.actors),
        command: draft.command.trim() || null,
        mention: draft.mention,
        forks: draft.forks,
        feedback: draft.feedback,
      }
  }
}

/** "a, b" → ["a", "b"]. */
export const words = (text: string): string[] =>
  text
    .split(/[,\n]/)
    .map((word) => word.trim())
    .filter((word) => word !== '')

function filterDraft({ field, op, value }: TriggerFilter): FilterDraft {
  if (value === undefined) return { field, op, value: '' }
  const one = (scalar: unknown) =>
    typeof scalar === 'string' && readScalar(scalar) === scalar ? scalar : JSON.stringify(scalar)
  return { field, op, value: Array.isArray(value) ? value.map(one).join(', ') : one(value) }
}

function toFilter({ field, op, value }: FilterDraft): TriggerFilter {
  switch (op) {
    case 'exists':
    case 'missing':
      return { field, op }
    case 'in':
      return { field, op, value: words(value).map(readScalar) }
    case 'gt':
    case 'lt':
      return { field, op, value: Number(value) }
    case 'prefix':
    case 'glob':
      return { field, op, value }
    case 'eq':
    case 'ne':
      return { field, op, value: readScalar(value.trim()) }
  }
}

/** 3, true and null are what they look like; "3" in quotes is a text. */
function readScalar(text: string): string | number | boolean | null {
  if (!/^(-?\d+(\.\d+)?|true|false|null|".*")$/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
