import type { MachineId, OrganizationId } from '@baton/protocol'
import { isId } from '@baton/protocol'
import { errors, jwtVerify, SignJWT } from 'jose'
import type { RelayKeys } from '../secrets/keys.ts'

const AUDIENCE = 'baton-runner'
const LIFETIME_S = 60 * 60

export type RunnerClaims = { machineId: MachineId; organizationId: OrganizationId; expiresAt: number }

/** A short EdDSA token that stands for a machine key on one connection. Times in ms. */
export async function signRunnerToken(
  keys: RelayKeys,
  claims: { machineId: MachineId; organizationId: OrganizationId },
  nowMs: number,
): Promise<{ token: string; expiresAt: number }> {
  const seconds = Math.floor(nowMs / 1000)
  const token = await new SignJWT({ org: claims.organizationId })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'baton-runner+jwt' })
    .setSubject(claims.machineId)
    .setAudience(AUDIENCE)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + LIFETIME_S)
    .sign(keys.tokenPrivate)
  return { token, expiresAt: (seconds + LIFETIME_S) * 1000 }
}

/** Only EdDSA by our own key, our type and audience, and an expiry (RFC 8725). A reason in words when refused. */
export async function verifyRunnerToken(
  keys: RelayKeys,
  token: string,
  nowMs: number,
): Promise<RunnerClaims | string> {
  if (token.length > 4096) return 'the runner token is too long'
  try {
    const { payload } = await jwtVerify(token, keys.tokenPublic, {
      algorithms: ['EdDSA'],
      typ: 'baton-runner+jwt',
      audience: AUDIENCE,
      requiredClaims: ['sub', 'exp', 'org'],
      currentDate: new Date(nowMs),
    })
    if (!isId('machine', payload.sub) || !isId('organization', payload.org))
      return 'the runner token names no machine'
    return { machineId: payload.sub, organizationId: payload.org, expiresAt: (payload.exp ?? 0) * 1000 }
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) return 'the runner token has expired'
    if (cause instanceof errors.JOSEError) return 'the runner token is not valid'
    throw cause
  }
}
