import type { ErrorKind } from '@baton/protocol'
import { parseFields, textOf } from './json-fields.ts'

const SIGNED_OUT =
  /\b401\b|unauthori[sz]ed|not logged in|authentication required|API_KEY_INVALID|(api )?key (is )?(not valid|invalid|expired)|invalid (api key|x-api-key|authentication)|UNAUTHENTICATED|incorrect api key/i
const USED_UP = /\b429\b|quota|RESOURCE_EXHAUSTED|rate.?limit|usage limit|credit balance|insufficient_quota/i

/** The kind of a failure of a model's service, from its HTTP status where it is known and from its words. */
export function apiErrorKind(
  status: number | null,
  text: string,
): Extract<ErrorKind, 'not_signed_in' | 'quota' | 'api_error'> {
  if (status === 401 || status === 403) return 'not_signed_in'
  if (status === 429 || status === 402) return 'quota'
  if (SIGNED_OUT.test(text)) return 'not_signed_in'
  return USED_UP.test(text) ? 'quota' : 'api_error'
}

/**
 * The service's own words in a text that holds its whole answer as JSON, as `[API Error: [{"error":{"code":500,…}}]]`;
 * any other text as it stands.
 */
export function apiErrorText(text: string): string {
  const [, quoted] = /"message"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(text) ?? []
  if (quoted === undefined) return text
  const [, code] = /"code"\s*:\s*(\d{3})\b/.exec(text) ?? []
  const said = textOf(parseFields(`{"said":${quoted}}`).said)
  if (said === null) return text
  return code === undefined ? said : `HTTP ${code}: ${said}`
}
