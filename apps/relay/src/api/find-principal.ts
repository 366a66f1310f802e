import type { IncomingMessage } from 'node:http'
import { type Db, findMemberBySession, findMemberByToken } from '@baton/db'
import { TOKEN_SCOPES } from '@baton/protocol'
import { verifyRunnerToken } from '../runners/runner-token.ts'
import { hashSecret } from '../secrets/hash-secret.ts'
import type { RelayKeys } from '../secrets/keys.ts'
import type { Principal } from './principal.ts'

export const SESSION_COOKIE = 'baton_session'

/**
 * Who is behind a request: a bearer token (in the header, or in the parameters of a WebSocket), else the session cookie,
 * which counts only when the request comes from the relay's own pages. Never throws for a bad credential.
 */
export async function findPrincipal(
  deps: { db: Db; keys: RelayKeys; publicOrigin: string; now: () => number },
  request: IncomingMessage,
  socketToken: string | null,
): Promise<Principal> {
  const token = socketToken ?? /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? null
  if (token !== null) return byToken(deps, token)
  const cookie = readCookie(request, SESSION_COOKIE)
  if (cookie === null) return nobody('Sign in first: open the link that `npx baton open` prints.')
  if (!comesFromOwnPages(request, deps.publicOrigin)) {
    return nobody(`This browser page is not one of this relay's own. Open ${deps.publicOrigin} instead.`)
  }
  const sessionHash = hashSecret(cookie)
  const member = await findMemberBySession(deps.db, sessionHash)
  if (!member) return nobody('Your sign-in has ended. Open a new link: `npx baton open` prints one.')
  return {
    kind: 'user',
    ...member,
    scopes: TOKEN_SCOPES,
    credential: { kind: 'session', hash: sessionHash },
  }
}

async function byToken(
  deps: { db: Db; keys: RelayKeys; now: () => number },
  token: string,
): Promise<Principal> {
  if (token.startsWith('bt_')) {
    const hash = hashSecret(token)
    const member = await findMemberByToken(deps.db, hash)
    return member
      ? { kind: 'user', ...member, credential: { kind: 'token', hash } }
      : nobody('This token is unknown or was revoked. Make a new one with `npx baton token create`.')
  }
  if (token.startsWith('sk_machine_')) {
    return nobody('A machine key cannot be used here; the runner exchanges it for a token by itself.')
  }
  const claims = await verifyRunnerToken(deps.keys, token, deps.now())
  return typeof claims === 'string'
    ? { kind: 'nobody', code: 'not_signed_in', reason: `The relay does not accept this token: ${claims}.` }
    : { kind: 'machine', ...claims }
}

const nobody = (reason: string): Principal => ({ kind: 'nobody', code: 'not_signed_in', reason })

/** A cookie is sent by browsers for any page that asks; only the exact origin of this relay may use it. */
export function comesFromOwnPages(request: IncomingMessage, publicOrigin: string): boolean {
  const origin = request.headers.origin
  if (origin !== undefined)
    return origin === publicOrigin || origin === publicOrigin.replace('//127.0.0.1:', '//localhost:')
  return request.headers['sec-fetch-site'] === 'same-origin' && request.headers.upgrade === undefined
}

export function readCookie(request: IncomingMessage, name: string): string | null {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key, value] = part.trim().split('=')
    if (key === name && value) return value
  }
  return null
}
