import { z } from 'zod'

/**
 * Conditions on one field of an event: all of a trigger's must hold. There are no regular expressions on purpose: every
 * operator takes time that grows with the text and the pattern alone, whatever a sender writes.
 */
export const FILTER_OPS = ['eq', 'ne', 'in', 'exists', 'missing', 'prefix', 'glob', 'gt', 'lt'] as const
export type FilterOp = (typeof FILTER_OPS)[number]

const scalar = z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()])

export const triggerFilter = z
  .strictObject({
    /** `payload.action`, `payload.labels.0.name` or `event.headers.x-github-event`, as in a prompt. */
    field: z
      .string()
      .max(300)
      .regex(
        /^(payload(\.[\w-]+)*|event\.headers\.[a-z0-9-]+)$/i,
        'name a field of the event, such as payload.action or event.headers.x-github-event',
      ),
    op: z.enum(FILTER_OPS),
    value: z.union([scalar, z.array(scalar).min(1).max(100)]).optional(),
  })
  .superRefine((filter, context) => {
    const problem = valueProblem(filter.op, filter.value)
    if (problem) context.addIssue({ code: 'custom', message: `"${filter.op}" ${problem}`, path: ['value'] })
  })
export type TriggerFilter = z.infer<typeof triggerFilter>

function valueProblem(op: FilterOp, value: unknown): string | null {
  switch (op) {
    case 'exists':
    case 'missing':
      return value === undefined ? null : 'takes no value'
    case 'in':
      return Array.isArray(value) ? null : 'takes a list of values'
    case 'gt':
    case 'lt':
      return typeof value === 'number' ? null : 'takes a number'
    case 'prefix':
    case 'glob':
      return typeof value === 'string' && value !== '' ? null : 'takes a text'
    case 'eq':
    case 'ne':
      return value !== undefined && !Array.isArray(value) ? null : 'takes one value'
  }
}

/** What one filter found in an event. */
export type FilterFinding = TriggerFilter & { holds: boolean; found: string | null }

/** `payload.action eq opened`: the filter as a person writes it. */
export function filterText({ field, op, value }: TriggerFilter): string {
  return value === undefined ? `${field} ${op}` : `${field} ${op} ${JSON.stringify(value)}`
}
