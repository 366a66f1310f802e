import { createHash } from 'node:crypto'
import type { VersionedTable } from '@baton/db'
import type { RestRoute } from './rest-routes.ts'

/**
 * `read`: its answer carries an ETag. `guards`: the route that reads what this one changes or deletes, whose ETag If-Match
 * may name; null where there is none.
 */
export function etagRules(
  route: RestRoute,
  routes: readonly RestRoute[],
): { read: boolean; guards: RestRoute | null } {
  const read = route.method === 'GET'
  if (route.method !== 'PATCH' && route.method !== 'DELETE') return { read, guards: null }
  return { read, guards: routes.find((one) => one.method === 'GET' && one.path === route.path) ?? null }
}

const TABLES: Record<string, VersionedTable> = {
  'jobs.get': 'jobs',
  'agents.get': 'agents',
  'machines.get': 'machines',
  'outputs.get': 'outputs',
  'organization.get': 'organizations',
}

/** The table with the row of what a route reads, all of whose fields that PATCH can change are in that row. */
export function tableOf({ procedure }: RestRoute): VersionedTable {
  const table = TABLES[procedure]
  if (!table) throw new Error(`${procedure} is guarded by If-Match and has no table here.`)
  return table
}

/** The fields of a resource that people can change: what PATCH on the same path takes. */
export function editableFields(route: RestRoute, routes: readonly RestRoute[]): string[] {
  const patch = routes.find((one) => one.method === 'PATCH' && one.path === route.path)
  return Object.keys(patch?.input?.shape ?? {}).filter((name) => name !== 'id')
}

/**
 * `"<what can be changed>.<all of it>"`. A resource shows much that moves by itself (its last runs, whether its machine is
 * online), so that If-Match compares the first part only: a lost update is one of somebody's settings.
 */
export function etagOf(answer: unknown, body: string, editable: readonly string[]): string {
  const whole = digest(body)
  if (editable.length === 0) return `"${whole}"`
  const fields = answer as Record<string, unknown>
  return `"${digest(JSON.stringify(editable.map((name) => fields[name] ?? null)))}.${whole}"`
}

/** Whether If-None-Match names this ETag. */
export function isKnown(header: string | undefined, etag: string): boolean {
  return header !== undefined && tagsOf(header).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)
}

/** Whether If-Match names the same settings. */
export function isUnchanged(header: string, etag: string): boolean {
  return tagsOf(header).some((tag) => tag === '*' || firstPart(tag) === firstPart(etag))
}

const tagsOf = (header: string) => header.split(',').map((tag) => tag.trim())
const firstPart = (tag: string) => tag.replace(/^"|"$/g, '').split('.')[0]
const digest = (text: string) => createHash('sha256').update(text).digest('base64url').slice(0, 16)
