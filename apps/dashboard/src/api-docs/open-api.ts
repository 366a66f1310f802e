import { queryOptions } from '@tanstack/react-query'

/** What of an OpenAPI 3.1 document these pages read. */
export type Schema = {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  additionalProperties?: Schema | boolean
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  description?: string
  default?: unknown
}
export type Parameter = {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  description?: string
  schema: Schema
}
type Content = { content?: Record<string, { schema: Schema }> }
export type Operation = {
  operationId: string
  summary: string
  description: string
  tags: string[]
  parameters?: (Parameter | { $ref: string })[]
  requestBody?: Content
  responses: Record<string, Content & { description?: string; $ref?: string }>
}
export type OpenApi = {
  info: { title: string; description: string; version: string }
  servers: { url: string }[]
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema>; parameters: Record<string, Parameter> }
}
export type Endpoint = { method: string; path: string; operation: Operation }

export const OPEN_API_PATH = '/api/openapi.json'

export const openApiQuery = queryOptions({
  queryKey: ['openapi'],
  queryFn: async ({ signal }): Promise<OpenApi> => {
    const response = await fetch(OPEN_API_PATH, { signal })
    if (!response.ok) throw new Error(`The relay answered ${response.status}.`)
    return (await response.json()) as OpenApi
  },
  staleTime: Number.POSITIVE_INFINITY,
})

/** All endpoints in the order of the document, of which every word of `search` is found in path, name or description. */
export function findEndpoints(document: OpenApi, search: string): Endpoint[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const { summary, description, operationId } = operation
      const text = `${method} ${path} ${summary} ${description} ${operationId}`.toLowerCase()
      return words.every((word) => text.includes(word))
        ? { method: method.toUpperCase(), path, operation }
        : []
    }),
  )
}

/** Its parameters, with those that several endpoints share. */
export function parametersOf(document: OpenApi, { parameters = [] }: Operation): Parameter[] {
  return parameters.flatMap((one) =>
    '$ref' in one ? (document.components.parameters[nameOf(one.$ref)] ?? []) : one,
  )
}

export const bodyOf = ({ requestBody }: Operation) =>
  requestBody?.content?.['application/json']?.schema ?? null

/** The status of success and what is answered with it; null for nothing. */
export function answerOf({ responses }: Operation): { status: string; schema: Schema | null } {
  const status = Object.keys(responses).find((one) => one.startsWith('2')) ?? '200'
  return { status, schema: responses[status]?.content?.['application/json']?.schema ?? null }
}

export const nameOf = (reference: string) => reference.split('/').at(-1) ?? reference
