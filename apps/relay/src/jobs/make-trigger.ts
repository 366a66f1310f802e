import type { NewTrigger } from '@baton/db'
import {
  BatonError,
  type Runtime,
  TRIGGER_CONFIGS,
  type TriggerId,
  type TriggerInput,
  toId,
  type WebhookScheme,
} from '@baton/protocol'
import { assertSecret, generateSecret } from '@baton/webhooks'
import { uuidv7 } from 'uuidv7'
import { cronSlots } from '../schedules/cron-slots.ts'
import { newSecret } from '../secrets/hash-secret.ts'
import { sealSecret } from '../secrets/seal.ts'

/** What only the answer that made a webhook shows. `secret` is empty for the scheme `none`. */
export type ShownSecret = {
  triggerId: TriggerId
  path: string
  url: string
  scheme: WebhookScheme
  secret: string
}

type Place = { sealKey: Buffer; publicUrl: string; runtime: Runtime }

/** A trigger as it is stored, after everything that can be wrong with it was looked at. Throws `bad_input`. */
export function makeTrigger(
  place: Place,
  input: TriggerInput,
): { record: NewTrigger; shown: ShownSecret | null } {
  const id = toId('trigger', uuidv7())
  assertConfig(input.kind, input)
  const config = configOf(input)
  if (input.kind !== 'webhook') {
    const record = { id, kind: input.kind, path: null, scheme: null, sealedSecret: null, config }
    return { record, shown: null }
  }
  const { scheme } = input
  if (scheme === 'none') assertUnsigned(input, place.runtime)
  const path = input.path ?? newSecret('h').slice(2)
  const secret = scheme === 'none' ? '' : (input.secret ?? generateSecret(scheme))
  if (scheme !== 'none') assertUsable(scheme, secret)
  const sealedSecret = scheme === 'none' ? null : sealSecret(place.sealKey, id, secret)
  const url = `${place.publicUrl}/hooks/${path}`
  return {
    record: { id, kind: 'webhook', path, scheme, sealedSecret, config },
    shown: { triggerId: id, path, url, scheme, secret },
  }
}

/** The stored part of a trigger's input. */
export function configOf(input: TriggerInput): object {
  const { kind, ...rest } = input
  const fields = Object.keys(TRIGGER_CONFIGS[kind].shape)
  return Object.fromEntries(Object.entries(rest).filter(([name]) => fields.includes(name)))
}

/** What the schemas cannot see. Throws `bad_input`, which is why a wrong schedule is never saved. */
export function assertConfig(kind: string, config: object): void {
  if (kind !== 'cron') return
  const { expression, zone } = config as { expression: string; zone: string }
  cronSlots(expression, zone)
}

export function assertUsable(scheme: Exclude<WebhookScheme, 'none'>, secret: string): void {
  try {
    assertSecret(scheme, secret)
  } catch (cause) {
    throw new BatonError(
      'bad_input',
      cause instanceof Error ? cause.message : 'This secret cannot be used.',
      { cause },
    )
  }
}

function assertUnsigned(
  input: { acceptUnsigned: boolean; path?: string | undefined },
  runtime: Runtime,
): void {
  const problem =
    runtime !== 'command'
      ? 'only for jobs of an agent that runs a fixed command: anybody on the internet could make this agent work. Choose another scheme, for example bearer'
      : !input.acceptUnsigned
        ? 'only for jobs that say so: set acceptUnsigned (--accept-unsigned)'
        : input.path !== undefined
          ? 'only at an address that nobody can guess: leave the path out'
          : null
  if (problem) throw new BatonError('bad_input', `A webhook without a signature is ${problem}.`)
}
