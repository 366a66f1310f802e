import type { TriggerSecret } from '@baton/sdk'

/** An address and its secret as they are shown once, with lines to try them. */
export function describeHook(hook: TriggerSecret): string {
  if (hook.scheme === 'none') return `url     ${hook.url}\n\nAnybody who knows this address can fire the job.`
  const shown = [
    `url     ${hook.url}`,
    `secret  ${hook.secret}`,
    '',
    'The secret is not shown again. Try it:',
    '',
  ]
  return [...shown, ...curlLines(hook)].join('\n')
}

/** Lines for a shell that send one signed request: to try it by hand, on a computer of one's own. */
function curlLines({ url, secret, scheme }: TriggerSecret): string[] {
  const send = `curl -sS '${url}' -H 'Content-Type: application/json' --data-binary "$BODY"`
  const hmac = (signed: string) => `printf '%s' "${signed}" | openssl dgst -sha256 -hmac "$SECRET"`
  switch (scheme) {
    case 'baton':
      return [
        `SECRET='${secret}' BODY='{"ref":"main"}' T=$(date +%s)`,
        `${send} -H "X-Baton-Signature: t=$T,v1=$(${hmac('$T.$BODY')} -r | cut -d' ' -f1)"`,
      ]
    case 'github':
      return [
        `SECRET='${secret}' BODY='{"ref":"refs/heads/main","before":"0","after":"1","commits":[],"pusher":{"name":"ada"}}'`,
        `${send} -H 'X-GitHub-Event: push' -H "X-GitHub-Delivery: $(cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen)" -H "X-Hub-Signature-256: sha256=$(${hmac('$BODY')} -r | cut -d' ' -f1)"`,
      ]
    case 'standard':
      return [
        `SECRET='${secret}' BODY='{"type":"test"}' T=$(date +%s) ID=msg_$(date +%s%N)`,
        `KEY=$(printf '%s' "\${SECRET#whsec_}" | base64 -d | od -An -vtx1 | tr -d ' \\n')`,
        `${send} -H "webhook-id: $ID" -H "webhook-timestamp: $T" -H "webhook-signature: v1,$(printf '%s' "$ID.$T.$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | base64)"`,
      ]
    case 'bearer':
      return [`SECRET='${secret}' BODY='{"type":"test"}'`, `${send} -H "Authorization: Bearer $SECRET"`]
    case 'slack':
      return [
        `SECRET='${secret}' BODY='{"type":"event_callback","event":{"text":"hello"}}' T=$(date +%s)`,
        `${send} -H "X-Slack-Request-Timestamp: $T" -H "X-Slack-Signature: v0=$(${hmac('v0:$T:$BODY')} -r | cut -d' ' -f1)"`,
      ]
    case 'stripe':
      return [
        `SECRET='${secret}' BODY='{"id":"evt_test","object":"event"}' T=$(date +%s)`,
        `${send} -H "Stripe-Signature: t=$T,v1=$(${hmac('$T.$BODY')} -r | cut -d' ' -f1)"`,
      ]
    case 'lark':
    case 'none':
      return ['baton event sample <job>']
  }
}
