import type { AnsweredVia } from '@baton/protocol'
import type { ApiContext } from '../api/context.ts'

/** From where a person acts: a browser's session is the dashboard, and the command line names itself. */
export function answeredVia({ principal, request }: Pick<ApiContext, 'principal' | 'request'>): AnsweredVia {
  if (principal.kind === 'user' && principal.credential.kind === 'session') return 'dashboard'
  return request.headers['x-baton-client'] === 'cli' ? 'cli' : 'sdk'
}
