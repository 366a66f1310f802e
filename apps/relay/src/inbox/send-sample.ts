import { BatonError } from '@baton/protocol'
import { encryptLarkBody, signRequest } from '@baton/webhooks'
import type { HookTarget } from './hook-targets.ts'
import { sampleOf } from './sample-bodies.ts'

const WITHIN_MS = 4_000

export type SampleAnswer = { status: number; eventId: string | null; detail: string | null }

/**
 * Sends a webhook of this relay one request as its sender would: signed with its own secret, over a real connection to
 * this relay's own address. `body` replaces the sample of the scheme.
 */
export async function sendSample(
  target: HookTarget,
  relay: { port: number; nowMs: number },
  given: { body?: string | undefined; headers?: Record<string, string> | undefined },
): Promise<SampleAnswer> {
  const scheme = target.scheme ?? 'none'
  const sample = sampleOf(scheme, relay.nowMs)
  const plain = given.body ?? sample.body
  const body = scheme === 'lark' ? encryptLarkBody(target.openSecrets[0] ?? '', plain) : plain
  const id = `sample-${relay.nowMs}`
  const response = await fetch(`http://127.0.0.1:${relay.port}/hooks/${target.path}`, {
    method: 'POST',
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(WITHIN_MS),
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Baton-Sample',
      ...sample.headers,
      ...given.headers,
      ...(scheme === 'none'
        ? { 'x-baton-delivery': id }
        : sign(target, scheme, { id, body, nowMs: relay.nowMs })),
    },
  })
  const answer = (await response.json()) as { eventId?: string; detail?: string }
  return { status: response.status, eventId: answer.eventId ?? null, detail: answer.detail ?? null }
}

function sign(
  target: HookTarget,
  scheme: Parameters<typeof signRequest>[0]['scheme'],
  { id, body, nowMs }: { id: string; body: string; nowMs: number },
): Record<string, string> {
  try {
    return signRequest({ scheme, secret: target.openSecrets[0] ?? '', id, timestampMs: nowMs, body })
  } catch (cause) {
    throw new BatonError(
      'conflict',
      'Only the public key of this sender is known here, so the relay cannot sign a sample. Replay a stored event instead.',
      { cause },
    )
  }
}
