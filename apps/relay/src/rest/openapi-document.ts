import { generateOpenApiDocument } from 'trpc-to-openapi'
import { z } from 'zod'
import { appRouter } from '../api/app-router.ts'
import { scopeOf } from '../api/procedure-scopes.ts'
import { etagRules } from './etags.ts'
import { PARAMETERS, PROBLEM_SCHEMA, RESPONSE_HEADERS, RESPONSES, TAGS } from './openapi-parts.ts'
import {
  HEADER_FIELDS,
  isPaged,
  isRepeatable,
  listRestRoutes,
  REST_PATH,
  type RestRoute,
  successStatus,
} from './rest-routes.ts'

type Json = Record<string, unknown>
type Schema = { type?: string | string[]; properties?: Json; required?: string[] } & Json
type Operation = {
  operationId: string
  tags: string[]
  description?: string
  parameters?: (Json & { schema?: Schema })[]
  requestBody?: { required?: boolean; content: { 'application/json': { schema: Schema } } }
  responses: Record<string, Json & { content?: Record<string, { schema: Schema }> }>
} & Json
export type OpenApiDocument = {
  openapi: string
  info: Json
  tags: Json[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema>; parameters: Json; responses: Json; headers: Json } & Json
} & Json

/**
 * The OpenAPI 3.1 document of everything below /api/v1. Paths, parameters, bodies and answers come from the routers; what
 * the REST layer adds to each of them (statuses, headers, problems, scopes) is put in here.
 */
export function createOpenApiDocument(version: string): OpenApiDocument {
  const generated = generateOpenApiDocument(appRouter, {
    title: 'Baton',
    description:
      'Sends work to coding agents on your own machines. Times are milliseconds since 1970. Clients must ignore fields that they do not know; unknown fields in requests are refused.',
    version,
    baseUrl: REST_PATH,
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    securitySchemes: {
      token: { type: 'http', scheme: 'bearer', description: 'An API token: `baton token create`.' },
    },
  })
  const document = JSON.parse(JSON.stringify(generated)) as OpenApiDocument
  const routes = listRestRoutes()
  for (const route of routes) {
    const operation = document.paths[route.path]?.[route.method.toLowerCase()]
    if (!operation) throw new Error(`${route.procedure} is missing in the generated document.`)
    finish(operation, route, routes)
  }
  const { schemas } = document.components
  for (const name of Object.keys(schemas)) if (name.startsWith('error.')) delete schemas[name]
  for (const schema of Object.values(schemas)) walk(schema, open)
  document.components = {
    ...document.components,
    schemas: { ...schemas, Problem: PROBLEM_SCHEMA },
    parameters: PARAMETERS,
    responses: RESPONSES,
    headers: RESPONSE_HEADERS,
  }
  document.tags = TAGS.filter(({ name }) => routes.some(({ path }) => path.split('/')[1] === name))
  return document
}

function finish(operation: Operation, route: RestRoute, routes: RestRoute[]): void {
  operation.operationId = route.procedure.replaceAll(/\.(\w)/g, (_, letter: string) => letter.toUpperCase())
  const scope = scopeOf(route.procedure)
  operation['x-procedure'] = route.procedure
  operation['x-scope'] = scope
  operation.description = [
    operation.description,
    scope ? `Needs the scope \`${scope}\`.` : 'Needs any token.',
  ]
    .filter(Boolean)
    .join(' ')
  finishBody(operation)
  for (const parameter of operation.parameters ?? [])
    if (Array.isArray(parameter.schema?.type))
      parameter.schema.type = parameter.schema.type.find((one) => one !== 'null') ?? 'string'
  const { read, guards } = etagRules(route, routes)
  operation.parameters = [
    ...(operation.parameters ?? []),
    ...(isRepeatable(route) ? [reference('parameters', 'IdempotencyKey')] : []),
    ...(read ? [reference('parameters', 'IfNoneMatch')] : []),
    ...(guards ? [reference('parameters', 'IfMatch')] : []),
  ]
  operation.responses = responsesOf(operation, route, { read, guards: guards !== null })
}

function finishBody(operation: Operation): void {
  const schema = operation.requestBody?.content['application/json'].schema
  if (!schema) return
  for (const name of HEADER_FIELDS) delete schema.properties?.[name]
  if (Object.keys(schema.properties ?? {}).length === 0) delete operation.requestBody
  walk(schema, close)
}

function responsesOf(
  operation: Operation,
  route: RestRoute,
  etag: { read: boolean; guards: boolean },
): Operation['responses'] {
  const generated = operation.responses[200]
  const schema = generated?.content?.['application/json']?.schema
  if (schema) walk(schema, open)
  const isList = route.output instanceof z.ZodArray
  const isPage = isPaged(route)
  const headers = {
    'Request-Id': reference('headers', 'RequestId'),
    RateLimit: reference('headers', 'RateLimit'),
    'RateLimit-Policy': reference('headers', 'RateLimitPolicy'),
    ...(etag.read && { ETag: reference('headers', 'ETag') }),
    ...(isPage && { Link: reference('headers', 'Link') }),
    ...(route.created && { Location: reference('headers', 'Location') }),
    ...(isRepeatable(route) && { 'Idempotency-Replayed': reference('headers', 'IdempotencyReplayed') }),
  }
  const content = schema && { 'application/json': { schema: isList ? wholeList(schema) : schema } }
  const isEmpty = route.output instanceof z.ZodVoid
  return {
    [successStatus(route)]: {
      description: isEmpty ? 'Done.' : route.created ? 'Made.' : 'The answer.',
      headers,
      ...(!isEmpty && content && { content }),
    },
    ...(etag.read && { 304: { description: 'It is still what If-None-Match names.', headers } }),
    ...Object.fromEntries(
      problemsOf(route, etag.guards).map((status) => [status, reference('responses', `Problem${status}`)]),
    ),
    default: reference('responses', 'Problem'),
  }
}

function problemsOf(route: RestRoute, guards: boolean): number[] {
  return [
    400,
    401,
    403,
    ...(route.path.includes('{') ? [404] : []),
    ...(route.type === 'mutation' ? [409] : []),
    ...(guards ? [412] : []),
    429,
  ]
}

const wholeList = (items: Schema): Schema => ({
  type: 'object',
  properties: { items, nextCursor: { type: 'null', description: 'This list is always whole.' } },
  required: ['items', 'nextCursor'],
})

const reference = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` })

function walk(node: unknown, visit: (schema: Schema) => void): void {
  if (Array.isArray(node)) for (const item of node) walk(item, visit)
  else if (typeof node === 'object' && node !== null) {
    visit(node as Schema)
    for (const value of Object.values(node)) walk(value, visit)
  }
}

const isClosable = (schema: Schema) => schema.type === 'object' && schema.properties !== undefined

/** Answers grow: a reader must not be told that there will never be another field. */
function open(schema: Schema): void {
  if (isClosable(schema) && schema.additionalProperties === false) delete schema.additionalProperties
}

/** A field that nobody knows is refused. */
function close(schema: Schema): void {
  if (isClosable(schema) && schema.additionalProperties === undefined) schema.additionalProperties = false
}
