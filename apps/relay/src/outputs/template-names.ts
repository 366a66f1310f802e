import type { TemplateNames } from '../jobs/render-prompt.ts'

const RUN = [
  'id',
  'url',
  'state',
  'status',
  'outcome',
  'result',
  'error',
  'errorKind',
  'attempt',
  'exitCode',
  'durationMs',
  'startedAt',
  'finishedAt',
  'changes.…',
] as const

/** What the subject and body of an output can name (run-facts.ts). */
export const OUTPUT_NAMES: TemplateNames = {
  run: RUN,
  job: ['key', 'name'],
  event: ['id', 'source'],
  agent: ['id', 'key', 'name'],
  machine: ['name'],
  payload: null,
}

/** What the path of a file can name: nothing that a stranger chooses. */
export const PATH_NAMES: TemplateNames = {
  run: ['id', 'attempt', 'status'],
  job: ['key'],
  event: ['id', 'source'],
  agent: ['key'],
}
