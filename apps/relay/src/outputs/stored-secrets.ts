import type { OutputId } from '@baton/protocol'
import { openSecret, sealSecret } from '../secrets/seal.ts'

/** One sealed text holds all secrets of an output, bound to its id. Null: it has none. */
export function sealSecrets(key: Buffer, id: OutputId, secrets: Record<string, unknown>): string | null {
  return Object.keys(secrets).length === 0 ? null : sealSecret(key, id, JSON.stringify(secrets))
}

export function openSecrets(
  key: Buffer,
  id: OutputId | null,
  sealed: string | null,
): Record<string, unknown> {
  return sealed === null || id === null
    ? {}
    : (JSON.parse(openSecret(key, id, sealed)) as Record<string, unknown>)
}
