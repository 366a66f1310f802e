import { parseJsonBody } from '@baton/webhooks'
import { cleanValue } from './clean-text.ts'

/** The body of an event as an agent may read it: nothing in it that people on GitHub do not see. */
export function cleanGithubBody(body: Buffer): Buffer {
  const json = parseJsonBody(body)
  return Buffer.from(json.ok ? JSON.stringify(cleanValue(json.value)) : 'null')
}
