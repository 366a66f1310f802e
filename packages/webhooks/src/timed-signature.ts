import { checkTimestamp, unixSeconds } from './check-timestamp.ts'
import { anyMatches, hmacSha256, readHexSignature } from './hmac.ts'
import { readHeader } from './read-header.ts'
import { usableTextSecrets } from './text-secret.ts'
import { type Refusal, refuse, type SignedRequest } from './verification.ts'

/** More entries than a rotation ever needs; bounds the work that one header can cause. */
const maxEntries = 16

const ENTRY = /^[a-z0-9]{1,8}=[\x21-\x7e]+$/

/**
 * Verifies a header of the form `t=<unix seconds>,v1=<hex>[,v1=<hex>…]`, where each `v1` is an HMAC-SHA256 of
 * `<before><t>.<raw body>`. Entries of other versions are passed over, one good `v1` is enough, and `t` stands exactly once.
 */
export function verifyTimedSignature(
  request: SignedRequest,
  header: string,
  before = '',
): { ok: true; timestampMs: number; signature: string } | Refusal {
  const sent = readHeader(request.headers, header, {
    reason: 'missing_signature',
    message: `it carries no ${header} header. Send ${header}: t=<unix seconds>,v1=<hex signature>.`,
  })
  if (!sent.ok) return sent
  const entries = sent.value.split(',', maxEntries + 1)
  const signatures = valuesOf('v1', entries)
    .map(readHexSignature)
    .filter((signature) => signature !== null)
  if (
    entries.length > maxEntries ||
    signatures.length === 0 ||
    !entries.every((entry) => ENTRY.test(entry))
  ) {
    return refuse('malformed_signature', `its ${header} header must be t=<unix seconds>,v1=<64 hex digits>.`)
  }
  const [t = '', ...others] = valuesOf('t', entries)
  const time = checkTimestamp(others.length === 0 ? t : '', request)
  if (!time.ok) return time
  const expected = usableTextSecrets(request.secrets).map((key) =>
    hmacSha256(key, `${before}${t}.`, request.rawBody),
  )
  const valid = signatures.find((signature) => anyMatches([signature], expected))
  if (valid === undefined) {
    return refuse(
      'wrong_signature',
      `its ${header} does not fit the body. Sign "<t>.<body>" over the exact bytes that are sent, with the secret of ` +
        'this endpoint.',
    )
  }
  return { ok: true, timestampMs: time.timestampMs, signature: valid.toString('hex') }
}

/** The value of the header that {@link verifyTimedSignature} reads. */
export function timedSignature(
  secret: string,
  timestampMs: number,
  body: Buffer | string,
  before = '',
): string {
  const t = unixSeconds(timestampMs)
  return `t=${t},v1=${hmacSha256(secret, `${before}${t}.`, body).toString('hex')}`
}

function valuesOf(name: string, entries: readonly string[]): string[] {
  return entries.filter((entry) => entry.startsWith(`${name}=`)).map((entry) => entry.slice(name.length + 1))
}
