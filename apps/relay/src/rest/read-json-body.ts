import type { IncomingMessage } from 'node:http'
import { readBody } from '../inbox/read-body.ts'
import { RestProblem, refusal } from './rest-problem.ts'

const LIMITS = { maxBytes: 1024 * 1024, timeoutMs: 15_000 }

/** The JSON object of a request; an empty body is an empty object. */
export async function readJsonBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const read = await readBody(request, LIMITS)
  if (!read.ok) {
    if (read.reason === 'too_large') throw refusal('too_large', 'Keep the body under 1 MiB.')
    throw refusal('bad_input', 'The body did not arrive whole in time.')
  }
  if (read.body.length === 0) return {}
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type)) throw notJson(type)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(read.body))
  } catch {
    throw refusal('bad_input', 'The body is no JSON in UTF-8.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refusal('bad_input', 'The body must be a JSON object.')
  return value as Record<string, unknown>
}

const notJson = (type: string) =>
  new RestProblem({
    status: 415,
    type: 'wrong-content-type',
    title: 'The body is not JSON',
    detail: `Send "Content-Type: application/json"${type === '' ? '' : `, not ${type.slice(0, 100)}`}.`,
    code: 'bad_input',
  })
