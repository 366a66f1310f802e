import type { EventDetail, TriggerView } from '@baton/protocol'

export type ExportedEvent = { fileName: string; text: string }

/** Headers that a client sets by itself, or that only meant something on the way. */
const OF_THE_WAY =
  /^(host|connection|content-length|accept|accept-encoding|user-agent|transfer-encoding|x-forwarded-.*|x-real-ip|x-baton-replay-of)$/

/** What is worth sending again: neither redacted nor of the way. */
export function headersToRepeat(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name, value]) => value !== '[redacted]' && !OF_THE_WAY.test(name)),
  )
}

/** A fixture for tests: the request as it is stored, and what would sign it. */
export function asFixture(event: EventDetail): ExportedEvent {
  const fixture = {
    id: event.id,
    source: event.source,
    scheme: event.verification?.scheme ?? null,
    contentType: event.contentType,
    headers: headersToRepeat(event.headers),
    bodyEncoding: event.bodyEncoding,
    body: event.body,
  }
  return { fileName: `${event.id}.json`, text: `${JSON.stringify(fixture, null, 2)}\n` }
}

/**
 * Lines for a shell that send the event to its address again, signed anew with the secret in `SECRET`, which is never
 * written here. An event that came on no webhook is sent to a server of one's own, in `URL`.
 */
export function asCurl(event: EventDetail, trigger: TriggerView | null): ExportedEvent {
  const webhook = trigger?.kind === 'webhook' ? trigger : null
  const signing = webhook ? signingLines(webhook.scheme) : null
  const signed = new Set(signing?.replaces ?? [])
  const headers = Object.entries(headersToRepeat(event.headers)).filter(([name]) => !signed.has(name))
  const url = webhook ? quote(webhook.url) : '"$URL"'
  const lines = [
    `# ${event.id}: ${event.source}${event.job ? ` for ${event.job.key}` : ''}`,
    ...(signing ? ['# Give the secret first: read -rs SECRET'] : []),
    `BODY=$(mktemp)`,
    event.bodyEncoding === 'base64'
      ? `printf '%s' ${quote(event.body)} | base64 -d > "$BODY"`
      : `printf '%s' ${quote(event.body)} > "$BODY"`,
    ...(signing?.before ?? []),
    [
      `curl -sS ${url}`,
      ...headers.map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
      ...(signing?.headers ?? []),
      `--data-binary @"$BODY"`,
    ].join(' \\\n  '),
  ]
  return { fileName: `${event.id}.sh`, text: `${lines.join('\n')}\n` }
}

type Signing = { before: string[]; headers: string[]; replaces: string[] }

/** How each scheme signs a file `$BODY` with openssl; null where nothing is signed, or a shell cannot. */
function signingLines(scheme: string): Signing | null {
  const hmac = (text: string) =>
    `{ printf '%s' "${text}"; cat "$BODY"; } | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d' ' -f1`
  const time = 'T=$(date +%s)'
  switch (scheme) {
    case 'github':
      return {
        before: [],
        headers: [`-H "X-Hub-Signature-256: sha256=$(${hmac('')})"`],
        replaces: ['x-hub-signature-256'],
      }
    case 'baton':
      return {
        before: [time],
        headers: [`-H "X-Baton-Signature: t=$T,v1=$(${hmac('$T.')})"`],
        replaces: ['x-baton-delivery'],
      }
    case 'slack':
      return {
        before: [time],
        headers: ['-H "X-Slack-Request-Timestamp: $T"', `-H "X-Slack-Signature: v0=$(${hmac('v0:$T:')})"`],
        replaces: ['x-slack-request-timestamp'],
      }
    case 'stripe':
      return { before: [time], headers: [`-H "Stripe-Signature: t=$T,v1=$(${hmac('$T.')})"`], replaces: [] }
    case 'standard':
      return {
        before: [
          time,
          'ID="msg_$(date +%s%N)"',
          `KEY=$(printf '%s' "\${SECRET#whsec_}" | base64 -d | od -An -vtx1 | tr -d ' \\n')`,
          `SIG=$({ printf '%s' "$ID.$T."; cat "$BODY"; } | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | base64)`,
        ],
        headers: ['-H "webhook-id: $ID"', '-H "webhook-timestamp: $T"', '-H "webhook-signature: v1,$SIG"'],
        replaces: ['webhook-id', 'webhook-timestamp', 'svix-id', 'svix-timestamp'],
      }
    case 'bearer':
      return { before: [], headers: ['-H "Authorization: Bearer $SECRET"'], replaces: ['x-baton-delivery'] }
    default:
      return null
  }
}

/** One word for a shell, whatever is in it. */
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
