import type { WebhookScheme } from '@baton/protocol'
import { shellWord } from '../elements/command-line.ts'

/**
 * A line for a POSIX shell that sends one request, signed with `$BATON_HOOK_SECRET`. The secret is never in it. Null for
 * the standard scheme, whose key is base64 and which senders sign with a library.
 */
export function signedCurl(url: string, scheme: WebhookScheme): string | null {
  const hmac = 'openssl dgst -sha256 -hmac "$BATON_HOOK_SECRET" -r | cut -d" " -f1'
  const send = `curl -sS ${shellWord(url)} -H 'Content-Type: application/json'`
  const body = '--data-binary "$BODY"'
  if (scheme === 'baton') {
    return `BODY='{"ref":"refs/heads/main"}'; T=$(date +%s); ${send} -H "X-Baton-Signature: t=$T,v1=$(printf '%s' "$T.$BODY" | ${hmac})" ${body}`
  }
  if (scheme === 'github') {
    return `BODY='{"zen":"Keep it logically awesome."}'; ${send} -H 'X-GitHub-Event: ping' -H "X-GitHub-Delivery: $(date +%s)" -H "X-Hub-Signature-256: sha256=$(printf '%s' "$BODY" | ${hmac})" ${body}`
  }
  return null
}
