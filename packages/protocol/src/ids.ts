import { z } from 'zod'

/** Every kind of id and the prefix it carries, so that an id read in a log says what it names. */
export const ID_PREFIXES = {
  organization: 'org',
  user: 'usr',
  machine: 'mch',
  agent: 'agt',
  job: 'job',
  trigger: 'trg',
  event: 'evt',
  delivery: 'dlv',
  run: 'run',
  token: 'tok',
  link: 'lnk',
  session: 'ses',
  approval: 'apr',
  control: 'ctl',
  undo: 'und',
  output: 'out',
  dispatch: 'dsp',
  githubApp: 'gha',
  githubSetup: 'ghs',
} as const

export type IdKind = keyof typeof ID_PREFIXES
/** `<prefix>_` and a UUIDv7 as 32 lower-case hex digits: text order is time order. */
export type Id<K extends IdKind> = `${(typeof ID_PREFIXES)[K]}_${string}`

export type OrganizationId = Id<'organization'>
export type UserId = Id<'user'>
export type MachineId = Id<'machine'>
export type AgentId = Id<'agent'>
export type JobId = Id<'job'>
export type TriggerId = Id<'trigger'>
export type EventId = Id<'event'>
export type DeliveryId = Id<'delivery'>
export type RunId = Id<'run'>
export type TokenId = Id<'token'>
export type ApprovalId = Id<'approval'>
export type ControlId = Id<'control'>
export type UndoId = Id<'undo'>
export type GithubAppId = Id<'githubApp'>
export type GithubSetupId = Id<'githubSetup'>
export type OutputId = Id<'output'>
export type DispatchId = Id<'dispatch'>

/** Makes an id from a UUID with or without dashes. The source of UUIDs is passed in so that tests can fix it. */
export function toId<K extends IdKind>(kind: K, uuid: string): Id<K> {
  return `${ID_PREFIXES[kind]}_${uuid.replaceAll('-', '')}` as Id<K>
}

export function isId<K extends IdKind>(kind: K, value: unknown): value is Id<K> {
  const prefix = `${ID_PREFIXES[kind]}_`
  return (
    typeof value === 'string' && value.startsWith(prefix) && /^[0-9a-f]{32}$/.test(value.slice(prefix.length))
  )
}

/** The kind that an id's prefix names, or null for text that is no id. */
export function kindOfId(value: string): IdKind | null {
  for (const kind of Object.keys(ID_PREFIXES) as IdKind[]) if (isId(kind, value)) return kind
  return null
}

function idSchema<K extends IdKind>(kind: K) {
  return z.custom<Id<K>>((value) => isId(kind, value), {
    error: `expected an id like ${ID_PREFIXES[kind]}_…`,
  })
}

export const organizationId = idSchema('organization')
export const userId = idSchema('user')
export const machineId = idSchema('machine')
export const agentId = idSchema('agent')
export const jobId = idSchema('job')
export const triggerId = idSchema('trigger')
export const eventId = idSchema('event')
export const deliveryId = idSchema('delivery')
export const runId = idSchema('run')
export const tokenId = idSchema('token')
export const approvalId = idSchema('approval')
export const controlId = idSchema('control')
export const undoId = idSchema('undo')
export const outputId = idSchema('output')
export const dispatchId = idSchema('dispatch')
