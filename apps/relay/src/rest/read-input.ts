import { BatonError } from '@baton/protocol'
import { z } from 'zod'
import { RestProblem, refusal } from './rest-problem.ts'
import { HEADER_FIELDS, type RestRoute, unwrap } from './rest-routes.ts'

/** The texts of a query as the schema wants them. What cannot be read stays text, for the schema to refuse by its name. */
export function readQuery(input: z.ZodObject | null, query: URLSearchParams): Record<string, unknown> {
  const read: Record<string, unknown> = {}
  for (const name of new Set(query.keys())) {
    const field = input?.shape[name] as z.ZodType | undefined
    const schema = field && unwrap(field)
    const texts = query.getAll(name)
    if (schema instanceof z.ZodArray) {
      read[name] = texts.map((text) => readText(unwrap(schema.element as z.ZodType), text))
    } else {
      read[name] = texts.length > 1 ? texts : readText(schema, texts[0] ?? '')
    }
  }
  return read
}

function readText(schema: z.ZodType | undefined, text: string): unknown {
  if (schema instanceof z.ZodNumber && /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  if (schema instanceof z.ZodBoolean && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

/**
 * What somebody sent that the procedure would silently leave out: a field that it does not know, at any depth, or one of
 * those that REST carries in a header. Such input is refused, because a typing mistake must not look like success.
 */
export function assertNothingUnknown(
  { input }: RestRoute,
  given: Record<string, unknown>,
  params: Record<string, string>,
): void {
  for (const name of HEADER_FIELDS)
    if (name in given) throw new BatonError('bad_input', `Give ${name} as the header Idempotency-Key.`)
  for (const name of Object.keys(params))
    if (name in given) throw new BatonError('bad_input', `"${name}" stands in the path already.`)
  const whole = { ...given, ...params }
  const parsed = input ? input.safeParse(whole) : { success: true as const, data: {} }
  // What is wrong otherwise, the procedure itself says.
  if (!parsed.success) return
  const unknown = unknownFields(whole, parsed.data)
  if (unknown.length === 0) return
  const { code, problem } = refusal(
    'bad_input',
    `There is no field ${unknown.map((name) => `"${name}"`).join(', ')} here.`,
  )
  const errors = unknown.map((path) => ({ path, message: 'There is no such field.' }))
  throw new RestProblem({ ...problem, code, errors })
}

function unknownFields(given: unknown, parsed: unknown, path = ''): string[] {
  if (Array.isArray(given) && Array.isArray(parsed))
    return given.flatMap((item, at) => unknownFields(item, parsed[at], `${path}${at}.`))
  if (!isObject(given) || !isObject(parsed)) return []
  return Object.entries(given).flatMap(([name, value]) =>
    Object.hasOwn(parsed, name) ? unknownFields(value, parsed[name], `${path}${name}.`) : [`${path}${name}`],
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
