import { z } from 'zod'
import { appRouter } from '../api/app-router.ts'
import type { RestMeta } from './rest-place.ts'

export const REST_PATH = '/api/v1'

/** One procedure as REST sees it. */
export type RestRoute = {
  /** Such as `jobs.create`. */
  procedure: string
  type: 'query' | 'mutation'
  method: string
  /** Such as `/jobs/{id}`. */
  path: string
  input: z.ZodObject | null
  output: z.ZodType
  created: string | null
}

type Definition = { type: string; meta?: RestMeta; inputs: z.ZodType[]; output?: z.ZodType }

/** Every procedure that has a place in REST, in the order of the routers. */
export function listRestRoutes(): RestRoute[] {
  const procedures: Record<string, unknown> = appRouter._def.procedures
  return Object.entries(procedures).flatMap(([procedure, made]) => {
    const { _def: definition } = made as { _def: Definition }
    const { openapi, rest } = definition.meta ?? {}
    if (!openapi) return []
    if (!definition.output) throw new Error(`${procedure} has a place in REST and no schema of its answer.`)
    return {
      procedure,
      type: definition.type === 'query' ? ('query' as const) : ('mutation' as const),
      method: openapi.method,
      path: openapi.path,
      input: objectOf(definition.inputs[0]),
      output: definition.output,
      created: rest?.created ?? null,
    }
  })
}

/** REST carries an idempotency key in a header. */
export const HEADER_FIELDS = ['idempotencyKey'] as const

/** POSTs that change something take an Idempotency-Key. */
export const isRepeatable = ({ method, type }: RestRoute) => method === 'POST' && type === 'mutation'

export function successStatus(route: RestRoute): number {
  if (route.output instanceof z.ZodVoid) return 204
  return route.created ? 201 : 200
}

/** Lists with a cursor: the others are always whole. */
export const isPaged = ({ output }: RestRoute) =>
  output instanceof z.ZodObject && 'nextCursor' in output.shape

/** The object in an input that may be left out or has a default. */
function objectOf(schema: z.ZodType | undefined): z.ZodObject | null {
  if (schema === undefined) return null
  const plain = unwrap(schema)
  if (!(plain instanceof z.ZodObject)) throw new Error('The input of a REST procedure must be an object.')
  return plain
}

/** Without what says that it may be absent or null. */
export function unwrap(schema: z.ZodType): z.ZodType {
  let inner = schema
  while (
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodNullable ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault
  )
    inner = inner.unwrap() as z.ZodType
  return inner
}

export type FoundRoute = { route: RestRoute; params: Record<string, string> }

/** Finds routes by method and path. `allowed` names the methods of a path that has another one. */
export function createRouteFinder(routes: RestRoute[]) {
  const compiled = routes.map((route) => ({
    route,
    pattern: new RegExp(`^${route.path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
  }))
  // Text before a parameter wins: /triggers/next-fires is not the trigger "next-fires".
  compiled.sort((one, other) => parameters(one.route.path) - parameters(other.route.path))
  return (method: string, path: string): FoundRoute | { allowed: string[] } => {
    const there = compiled.filter(({ pattern }) => pattern.test(path))
    const match = there.find(({ route }) => route.method === method)
    if (!match) return { allowed: [...new Set(there.map(({ route }) => route.method))] }
    const groups = match.pattern.exec(path)?.groups ?? {}
    const params: Record<string, string> = {}
    for (const [name, value] of Object.entries(groups)) params[name] = decode(value)
    return { route: match.route, params }
  }
}

const parameters = (path: string) => path.split('{').length

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // Not valid percent-encoding: nothing has such an id.
    return text
  }
}
