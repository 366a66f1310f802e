import { verify } from 'node:crypto'
import { type Caller, GithubRefusal } from './github-request.ts'
import type { GithubWorld } from './github-world.ts'

const TEN_MINUTES_S = 600

/** Checks what GitHub checks: RS256, the issuer, both times against GitHub's own clock, and no life over ten minutes. */
export function authenticateCaller(world: GithubWorld, authorization: string | undefined): Caller {
  const [, scheme = '', credential = ''] = /^(\S+) (\S+)$/.exec(authorization ?? '') ?? []
  if (credential === '') return { kind: 'nobody' }
  if (credential.split('.').length === 3) return { kind: 'app', app: verifyAppToken(world, credential) }
  const secret = scheme.toLowerCase() === 'basic' ? passwordOf(credential) : credential
  const token = world.tokens.find((one) => one.token === secret)
  if (!token || token.revoked || token.expiresAt <= world.now())
    throw new GithubRefusal(401, 'Bad credentials')
  return { kind: 'installation', token, installation: token.installation }
}

function verifyAppToken(world: GithubWorld, jwt: string) {
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  const head = readPart(header)
  const claims = readPart(payload)
  const app = world.apps.find((one) => String(one.id) === String(claims.iss))
  if (!app) throw new GithubRefusal(401, "'Issuer' claim ('iss') must be an Integer")
  const isSigned =
    head.alg === 'RS256' &&
    verify(
      'RSA-SHA256',
      Buffer.from(`${header}.${payload}`),
      app.publicKey,
      Buffer.from(signature, 'base64url'),
    )
  if (!isSigned) throw new GithubRefusal(401, 'A JSON web token could not be decoded')
  const nowS = Math.floor(world.now() / 1000)
  const [iat, exp] = [Number(claims.iat), Number(claims.exp)]
  if (iat > nowS + 60)
    throw new GithubRefusal(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    )
  if (exp <= nowS)
    throw new GithubRefusal(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    )
  if (exp > nowS + TEN_MINUTES_S || exp - iat > TEN_MINUTES_S + 60)
    throw new GithubRefusal(401, "'Expiration time' claim ('exp') is too far in the future")
  return app
}

function readPart(text: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Record<string, unknown>
  } catch {
    throw new GithubRefusal(401, 'A JSON web token could not be decoded')
  }
}

/** git sends `x-access-token:<token>`. */
const passwordOf = (basic: string) => Buffer.from(basic, 'base64').toString('utf8').split(':')[1] ?? ''
