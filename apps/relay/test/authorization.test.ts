import { randomBytes } from 'node:crypto'
import { connect, insertToken } from '@baton/db'
import { ID_PREFIXES, type IdKind, TOKEN_SCOPES } from '@baton/protocol'
import { newTestId } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { appRouter } from '../src/api/app-router.ts'
import { PROCEDURE_SCOPES } from '../src/api/procedure-scopes.ts'
import { hashSecret, newSecret } from '../src/secrets/hash-secret.ts'
import { type RestPlace, startRestPlace } from './support/rest-place.ts'

/** The authorization matrix: every procedure of the router, whoever adds it, times everybody who may come. */

type Definition = { type: 'query' | 'mutation' | 'subscription'; inputs: z.ZodType[] }
const procedures = Object.entries(
  appRouter._def.procedures as unknown as Record<string, { _def: Definition }>,
).map(([path, { _def }]) => ({ path, type: _def.type, input: shapeOf(_def.inputs[0]) }))
const forPeople = procedures.filter(({ path }) => !path.startsWith('runner.'))
const forRunners = procedures.filter(({ path }) => path.startsWith('runner.') && path !== 'runner.token')

/** What viewers may change: only how they themselves are signed in. */
const OPEN_TO_VIEWERS = ['auth.createLink', 'auth.signOut', 'auth.redeemLink']
/** What members may not do: what is about the organization as a whole. */
const CLOSED_TO_MEMBERS =
  /^(organization\.update|export\.|import\.|integrations\.github\.(beginSetup|register|remove)$)/

let place: RestPlace
let stranger: string
let machine: string
const tokens: Record<'viewer' | 'member' | 'read', string> = { viewer: '', member: '', read: '' }
const ids: Partial<Record<string, string>> = {}

beforeAll(async () => {
  place = await startRestPlace()
  stranger = (await place.other()).token
  tokens.read = await place.tokenFor(['read'])
  for (const role of ['viewer', 'member'] as const) tokens[role] = await addPerson(role)
  const token = await ask('runner.token', 'mutation', undefined, place.machineKey)
  machine = JSON.parse(token.text).result.data.token
  await makeThings()
}, 60_000)
afterAll(() => place?.[Symbol.asyncDispose]())

test('every procedure says which scope it needs', () => {
  expect(Object.keys(PROCEDURE_SCOPES).toSorted()).toEqual(procedures.map(({ path }) => path).toSorted())
})

test('a token with read changes nothing: only queries need it', () => {
  const wrong = forPeople.filter(({ path, type }) => PROCEDURE_SCOPES[path] === 'read' && type === 'mutation')
  expect(wrong.map(({ path }) => path)).toEqual([])
})

test('nobody gets in without signing in', async () => {
  const open = await whoAnswers(forPeople, null, [401])
  expect(open).toEqual(['auth.redeemLink 403'])
  expect(await whoAnswers(forRunners, null, [401])).toEqual([])
})

test('a machine does what is for machines and nothing else', async () => {
  expect(await whoAnswers(forPeople, machine, [403])).toEqual([])
  const refused = await whoAnswers(forRunners, machine, null)
  expect(refused.filter((one) => / 40[13]$/.test(one))).toEqual([])
})

test('a person is no machine', async () => {
  expect(await whoAnswers(forRunners, place.token, [403])).toEqual([])
})

test('a viewer looks and changes nothing', async () => {
  for (const one of forPeople) {
    const { status } = await ask(one.path, one.type, sampleOf(one), tokens.viewer)
    const mayAsk = one.type !== 'mutation' || OPEN_TO_VIEWERS.includes(one.path)
    const isOwners = CLOSED_TO_MEMBERS.test(one.path)
    if (one.path === 'auth.redeemLink') continue
    expect(status === 403, `${one.path} ${status}`).toBe(!mayAsk || isOwners)
    expect(status, one.path).not.toBe(401)
  }
})

test('a member does all but what is about the organization as a whole', async () => {
  for (const one of forPeople) {
    if (one.path === 'auth.redeemLink') continue
    const { status } = await ask(one.path, one.type, sampleOf(one), tokens.member)
    expect(status === 403, `${one.path} ${status}`).toBe(CLOSED_TO_MEMBERS.test(one.path))
  }
})

test('a token that may only read reads, whoever it belongs to', async () => {
  for (const one of forPeople) {
    if (one.path === 'auth.redeemLink') continue
    const { status } = await ask(one.path, one.type, sampleOf(one), tokens.read)
    const scope = PROCEDURE_SCOPES[one.path]
    expect(status === 403, `${one.path} ${status}`).toBe(scope !== null && scope !== 'read')
  }
})

test('ids of another organization are answered byte for byte like ids that nobody has', async () => {
  let compared = 0
  for (const one of forPeople.filter(({ input, path }) => namesIds(input, path))) {
    const foreign = sampleOf(one, (kind) => ids[kind])
    const nobodys = sampleOf(one)
    if (JSON.stringify(foreign) === JSON.stringify(nobodys)) continue
    const [first, second] = [
      await ask(one.path, one.type, foreign, stranger),
      await ask(one.path, one.type, nobodys, stranger),
    ]
    expect(withoutIds(first.text), one.path).toBe(withoutIds(second.text))
    expect(first.status, one.path).toBe(second.status)
    compared++
  }
  expect(compared).toBeGreaterThan(50)
})

async function whoAnswers(list: typeof procedures, token: string | null, expected: number[] | null) {
  const others: string[] = []
  for (const one of list) {
    const { status } = await ask(one.path, one.type, sampleOf(one), token)
    if (!expected?.includes(status)) others.push(`${one.path} ${status}`)
  }
  return others
}

/** One call over HTTP. Of a subscription only whether it begins. */
async function ask(path: string, type: Definition['type'], input: unknown, token: string | null) {
  const address = new URL(`/trpc/${path}`, place.relay.url)
  const isMutation = type === 'mutation'
  if (!isMutation && input !== undefined) address.searchParams.set('input', JSON.stringify(input))
  const ended = new AbortController()
  const response = await fetch(address, {
    method: isMutation ? 'POST' : 'GET',
    signal: ended.signal,
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(isMutation && { 'content-type': 'application/json' }),
      ...(type === 'subscription' && { accept: 'text/event-stream' }),
    },
    ...(isMutation && { body: JSON.stringify(input ?? {}) }),
  })
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    // Whoever may watch all changes hears nothing until there is one; every other sample has an error as its first word.
    const isQuiet = path === 'live.changes' && token !== null && token !== machine
    const text = await readUntil(response, isQuiet ? 'event: connected' : 'event: serialized-error')
    ended.abort()
    return { status: Number(/"httpStatus":(\d+)/.exec(text)?.[1] ?? response.status), text }
  }
  return { status: response.status, text: await response.text() }
}

async function readUntil(response: Response, word: string): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.includes(word) && text.endsWith('\n\n')) return text
  }
  return text
}

function shapeOf(input: z.ZodType | undefined): Record<string, z.ZodType> {
  let inner = input
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) inner = inner.unwrap() as z.ZodType
  return inner instanceof z.ZodObject ? (inner.shape as Record<string, z.ZodType>) : {}
}

/** The kind of thing that `id` names in each router. */
const ROUTER_KINDS: Record<string, IdKind> = {
  machines: 'machine',
  agents: 'agent',
  jobs: 'job',
  runs: 'run',
  approvals: 'approval',
  deliveries: 'delivery',
  events: 'event',
  outputs: 'output',
  dispatches: 'dispatch',
  tokens: 'token',
  why: 'run',
}
const FIELD_KINDS: Record<string, IdKind> = {
  agent: 'agent',
  agentId: 'agent',
  job: 'job',
  jobId: 'job',
  machineId: 'machine',
  triggerId: 'trigger',
  eventId: 'event',
  run: 'run',
  runId: 'run',
  outputId: 'output',
  undoId: 'undo',
}
const kindOf = (path: string, field: string) =>
  field === 'id' ? (ROUTER_KINDS[path.split('.')[0] ?? ''] ?? 'run') : FIELD_KINDS[field]
const namesIds = (input: Record<string, z.ZodType>, path: string) =>
  Object.keys(input).some((field) => kindOf(path, field) !== undefined)

const FIXED: Record<string, unknown> = {
  prompt: 'Do it.',
  text: 'Hello.',
  decision: 'deny',
  trigger: { kind: 'cron', expression: '@daily' },
  change: { kind: 'cron', expression: '@hourly' },
  schedule: { expression: '@daily', zone: 'UTC' },
  format: 'curl',
  kind: 'log',
  on: 'always',
  value: 'secret',
  conversation: 'nobody',
  secret: 'bl_wrong',
  runtime: 'claude',
  scopes: ['read'],
}

/** An input with what is required, and with ids wherever one may stand; of nothing that exists, unless `idOf` knows better. */
function sampleOf(
  { path, input }: (typeof procedures)[number],
  idOf: (kind: IdKind) => string | undefined = () => undefined,
): Record<string, unknown> | undefined {
  const sample: Record<string, unknown> = {}
  for (const [field, schema] of Object.entries(input)) {
    const kind = kindOf(path, field)
    const unique = `x${randomBytes(4).toString('hex')}`
    if (kind) sample[field] = idOf(kind) ?? newTestId(kind)
    else if (!schema.safeParse(undefined).success)
      sample[field] = field in FIXED ? FIXED[field] : field === 'name' || field === 'key' ? unique : {}
  }
  return Object.keys(sample).length > 0 ? sample : undefined
}

const ANY_ID = new RegExp(`(${Object.values(ID_PREFIXES).join('|')})_[0-9a-f]{32}`, 'g')
/** What differs between any two answers: ids, names that were made up, the request's own id and what took how long. */
const withoutIds = (text: string) =>
  text
    .replaceAll(ANY_ID, '<id>')
    .replaceAll(/"requestId":"[^"]+"/g, '')
    .replaceAll(/"(since|until|createdAt|expiresAt)":\d+/g, '')

async function addPerson(role: 'viewer' | 'member'): Promise<string> {
  const connection = connect(place.relay.databaseUrl)
  try {
    const userId = newTestId('user')
    const organizationId = place.organizationId as `org_${string}`
    await connection.db.insertInto('users').values({ id: userId, name: role }).execute()
    await connection.db
      .insertInto('members')
      .values({ organization_id: organizationId, user_id: userId, role })
      .execute()
    const secret = newSecret('bt')
    const token = { id: newTestId('token'), name: role, secretHash: hashSecret(secret), scopes: TOKEN_SCOPES }
    await insertToken(connection.db, { organizationId, userId }, token)
    return secret
  } finally {
    await connection.close()
  }
}

async function makeThings(): Promise<void> {
  const { body } = await place.call('POST', '/api/v1/jobs', {
    key: 'hooked',
    agent: place.agentId,
    prompt: 'Do it.',
    triggers: [{ kind: 'webhook', scheme: 'github' }],
    outputs: [{ kind: 'log', on: 'always', config: {} }],
  })
  const { job } = body
  const run = (await place.call('POST', `/api/v1/jobs/${job.id}/run`, {})).body
  const outputs = (await place.call('GET', `/api/v1/outputs?job=${job.id}`)).body
  const all = (await place.call('GET', '/api/v1/tokens')).body
  Object.assign(ids, {
    machine: place.machineId,
    agent: place.agentId,
    job: job.id,
    trigger: job.triggers[0].id,
    output: outputs.items[0].id,
    run: run.runId,
    delivery: run.deliveryId,
    event: run.eventId,
    token: all.items[0].id,
  })
}
