import { createHash } from 'node:crypto'
import { type Connection, connect, sql } from '@baton/db'
import { toId } from '@baton/protocol'
import { transcriptHash } from '@baton/protocol/transcript-hash'
import { connectApi, newTestId, startTestRelay, type TestRelay } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

type Api = ReturnType<typeof apiOf>
type Made = { token: string; organizationId: string; machineId: string; agents: { id: string }[] }

let relay: TestRelay
let connection: Connection
let mine: Api
let theirs: Api
let made: Made
let theirMade: Made

const apiOf = (token: string) => connectApi(relay.url, token)

const setUp = (organization: string) =>
  relay.setup<Made>({
    organization,
    machineName: 'laptop',
    wantToken: true,
    agents: [{ key: 'demo', runtime: 'command', command: 'demo' }],
  })

beforeAll(async () => {
  relay = await startTestRelay()
  connection = connect(relay.databaseUrl, { max: 2 })
  made = await setUp('mine')
  theirMade = await setUp('theirs')
  mine = apiOf(made.token)
  theirs = apiOf(theirMade.token)
  await theirs.jobs.create.mutate({ key: 'secret-job', agent: 'demo', prompt: 'x' })
})
afterAll(async () => {
  await connection?.close()
  await relay?.[Symbol.asyncDispose]()
})

/** A token of another person in the organization of `owner`. */
async function tokenOf(owner: Api, organizationId: string, role: string): Promise<Api> {
  const userId = newTestId('user')
  const { token, secret } = await owner.tokens.create.mutate({ name: role })
  await sql`insert into users (id, name) values (${userId}, ${role})`.execute(connection.db)
  await sql`insert into members (organization_id, user_id, role) values (${organizationId}, ${userId}, ${role})`.execute(
    connection.db,
  )
  await sql`update tokens set user_id = ${userId} where id = ${token.id}`.execute(connection.db)
  return apiOf(secret)
}

const codeOf = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => 'ok',
    (error: Error & { data?: { batonCode?: string } }) => error.data?.batonCode ?? error.message,
  )

const DIGEST = 'a'.repeat(64)
const UNTIL = '2100-01-01T00:00:00.000000Z'

test('each role may do what is its own, and nothing above it', async () => {
  const rights: Record<string, string[]> = {}
  for (const role of ['viewer', 'member', 'admin', 'owner']) {
    const api = await tokenOf(mine, made.organizationId, role)
    rights[role] = await Promise.all([
      codeOf(api.organization.get.query()),
      codeOf(api.stages.get.query({})),
      codeOf(api.organization.update.mutate({ retention: { days: 40 } })),
      codeOf(api.export.begin.mutate()),
      codeOf(api.export.page.query({ kind: 'machines', until: UNTIL })),
      codeOf(api.import.begin.mutate({ digest: DIGEST })),
    ])
  }
  expect(rights).toEqual({
    viewer: ['ok', 'ok', 'forbidden', 'forbidden', 'forbidden', 'forbidden'],
    member: ['ok', 'ok', 'forbidden', 'forbidden', 'forbidden', 'forbidden'],
    admin: ['ok', 'ok', 'ok', 'forbidden', 'forbidden', 'forbidden'],
    owner: ['ok', 'ok', 'ok', 'ok', 'ok', 'conflict'],
  })
})

test("another organization's machine or job is as unknown as one that never was", async () => {
  const [job] = await theirs.jobs.list.query()
  const answers = await Promise.all(
    [theirMade.machineId, newTestId('machine')].map((machineId) =>
      mine.stages.get.query({ machineId }).catch((e) => e),
    ),
  )
  expect(answers.map((error) => error.data?.httpStatus)).toEqual([404, 404])
  const messages = answers.map((error) => String(error.message).replace(/mch_[0-9a-f]+/, 'id'))
  expect(messages[0]).toBe(messages[1])
  expect(await codeOf(mine.stages.get.query({ jobId: job?.id ?? '' }))).toBe('not_found')
  expect(await codeOf(mine.stages.get.query({ jobId: 'secret-job' }))).toBe('not_found')
  expect(await codeOf(mine.jobs.update.mutate({ id: job?.id ?? '', retention: { days: 1 } }))).toBe(
    'not_found',
  )
})

test("an export has nobody else's rows, and none of its own secrets", async () => {
  const kinds = [
    'organization',
    'machines',
    'agents',
    'jobs',
    'triggers',
    'events',
    'deliveries',
    'runs',
    'transcripts',
  ] as const
  const pages = await Promise.all(kinds.map((kind) => mine.export.page.query({ kind, until: UNTIL })))
  const text = JSON.stringify(pages)
  expect(pages[1]?.rows).toHaveLength(1)
  expect(text).toContain(made.machineId)
  expect(text).not.toContain(theirMade.machineId)
  expect(text).not.toContain('secret-job')
  expect(text).not.toMatch(/key_hash|keyHash|secret_hash|"secrets"/)
  const { rows } = await sql<{ key_hash: string }>`select key_hash from machines`.execute(connection.db)
  for (const row of rows) expect(text).not.toContain(row.key_hash)
})

const machineRow = (id: string) => ({
  id,
  name: 'imported',
  hostname: null,
  os: null,
  arch: null,
  runnerVersion: null,
  slots: 5,
  runtimes: [],
  revokedAt: null,
  archivedAt: null,
  createdAt: '2026-01-01T00:00:00.000001Z',
})

async function emptyPlace(slug: string): Promise<{ api: Api; organizationId: string }> {
  const { token, organizationId } = await relay.setup<Made>({ organization: slug, wantToken: true })
  return { api: apiOf(token), organizationId }
}

const agentRow = (id: string, machineId: string) => ({
  id,
  machineId,
  key: 'demo',
  name: 'Demo',
  runtime: 'command',
  command: 'demo',
  instructions: '',
  model: null,
  permissionMode: 'edit',
  workspace: null,
  maxConcurrent: 1,
  perHour: null,
  pausedAt: null,
  archivedAt: null,
  createdAt: '2026-01-01T00:00:00.000001Z',
})

test('an import writes only where it was begun, and never into what is not empty', async () => {
  const { api } = await emptyPlace('empty-1')
  const rows = [machineRow(newTestId('machine'))]
  expect(await codeOf(api.import.rows.mutate({ digest: DIGEST, kind: 'machines', rows }))).toBe('conflict')
  expect(await api.import.begin.mutate({ digest: DIGEST })).toEqual({ state: 'open' })
  expect(await codeOf(api.import.begin.mutate({ digest: 'b'.repeat(64) }))).toBe('conflict')
  expect(await codeOf(api.import.rows.mutate({ digest: 'b'.repeat(64), kind: 'machines', rows }))).toBe(
    'conflict',
  )
  expect(await codeOf(api.import.rows.mutate({ digest: DIGEST, kind: 'machines', rows }))).toBe('ok')
  expect(await codeOf(api.import.rows.mutate({ digest: DIGEST, kind: 'machines', rows }))).toBe('ok')
  expect(await api.machines.list.query()).toHaveLength(1)
  expect(await codeOf(mine.import.begin.mutate({ digest: DIGEST }))).toBe('conflict')
  const counts = {
    machines: 1,
    agents: 0,
    jobs: 0,
    triggers: 0,
    events: 0,
    deliveries: 0,
    runs: 0,
    approvals: 0,
    outputs: 0,
    dispatches: 0,
    runEvents: 0,
  }
  expect(await codeOf(api.import.finish.mutate({ digest: DIGEST, counts: { ...counts, machines: 2 } }))).toBe(
    'conflict',
  )
  expect(await codeOf(api.import.finish.mutate({ digest: DIGEST, counts }))).toBe('ok')
  expect(await codeOf(api.import.finish.mutate({ digest: DIGEST, counts }))).toBe('ok')
  expect(await api.import.begin.mutate({ digest: DIGEST })).toEqual({ state: 'done' })
  expect(await codeOf(api.import.rows.mutate({ digest: DIGEST, kind: 'machines', rows }))).toBe('conflict')
})

test("imported rows cannot take another organization's place, nor refer to its rows", async () => {
  const { api } = await emptyPlace('empty-2')
  await api.import.begin.mutate({ digest: DIGEST })
  const rows = (kind: 'machines' | 'agents' | 'events', list: unknown[]) =>
    codeOf(api.import.rows.mutate({ digest: DIGEST, kind, rows: list }))
  expect(await rows('machines', [machineRow(theirMade.machineId)])).toBe('conflict')
  expect((await theirs.machines.get.query({ id: theirMade.machineId })).name).toBe('laptop')
  expect(await rows('agents', [agentRow(newTestId('agent'), theirMade.machineId)])).toBe('conflict')
  const event = {
    id: newTestId('event'),
    jobId: null,
    triggerId: null,
    source: 'manual',
    state: 'ignored',
    reason: 'no_job',
    dedupScope: newTestId('trigger'),
    dedupKey: 'k',
    bodyHash: 'h',
    contentType: null,
    headers: {},
    body: '',
    receivedAt: '2026-01-01T00:00:00.000001Z',
  }
  expect(await rows('events', [event])).toBe('conflict')
  expect(await rows('events', [{ ...event, jobId: (await theirs.jobs.list.query())[0]?.id }])).toBe(
    'conflict',
  )
  expect(await rows('events', [{ ...event, dedupScope: 'manual:@' }])).toBe('ok')
  expect(await rows('events', [{ ...event, extra: 1 }])).toBe('bad_input')
  expect(
    await rows('events', [{ ...event, id: newTestId('event'), dedupScope: '@', dedupKey: 'a\0b' }]),
  ).toBe('bad_input')
  expect(await api.machines.list.query()).toEqual([])
})

test('the relay counts and hashes an imported transcript itself, and takes no piece that does not follow', async () => {
  const { api, organizationId } = await emptyPlace('empty-3')
  await api.import.begin.mutate({ digest: DIGEST })
  const uuid = createHash('sha256').update(organizationId).digest('hex').slice(0, 32)
  const machineId = toId('machine', uuid)
  const agentId = toId('agent', uuid)
  const at = '2026-01-01T00:00:00.000001Z'
  const runId = toId('run', uuid)
  const texts = ['{"at":1,"type":"consumed"}', '{"at":2,"type":"consumed"}', '{"at":3,"type":"consumed"}']
  const rows = (kind: 'machines' | 'agents' | 'events' | 'deliveries' | 'runs', row: object) =>
    api.import.rows.mutate({ digest: DIGEST, kind, rows: [row] })
  await rows('machines', machineRow(machineId))
  await rows('agents', agentRow(agentId, machineId))
  await rows('events', {
    id: toId('event', uuid),
    jobId: null,
    triggerId: null,
    source: 'manual',
    state: 'matched',
    reason: null,
    dedupScope: 'manual:@',
    dedupKey: 'k',
    bodyHash: 'h',
    contentType: null,
    headers: {},
    body: '',
    receivedAt: at,
  })
  const common = {
    jobId: null,
    agentId,
    machineId,
    workspace: null,
    leasedAt: at,
    acceptedAt: at,
    finishKey: 'finish',
    finishedAt: at,
  }
  const delivery = {
    ...common,
    id: toId('delivery', uuid),
    eventId: toId('event', uuid),
    state: 'succeeded',
    reason: null,
    reasonMessage: null,
    runId,
    attempt: 1,
    maxAttempts: 3,
    repeatable: false,
    priority: 0,
    prompt: 'x',
    limits: { silenceMs: null, wallMs: null, maxAttempts: 3, repeatable: false },
    expiresAt: null,
    cancelRequestedAt: null,
    cancelReason: null,
    createdAt: at,
    stateSince: at,
  }
  await expect(rows('deliveries', { ...delivery, state: 'pending' })).rejects.toThrow('is not right')
  await rows('deliveries', delivery)
  const hash = transcriptHash(runId, texts)
  await rows('runs', {
    ...common,
    id: runId,
    deliveryId: toId('delivery', uuid),
    attempt: 1,
    state: 'succeeded',
    outcome: 'done',
    errorKind: null,
    message: null,
    exitCode: 0,
    signal: null,
    sessionId: null,
    result: 'ok',
    usage: null,
    killProof: null,
    lastSeq: 3,
    lastHash: hash,
    finalSeq: 3,
    finalHash: hash,
    startedAt: at,
    firstOutputAt: null,
    consumedAt: at,
  })
  const send = (fromSeq: number, part: string[], run = runId) =>
    codeOf(api.import.transcripts.mutate({ digest: DIGEST, parts: [{ run, fromSeq, texts: part }] }))
  expect(await send(2, texts.slice(1))).toBe('conflict')
  expect(await send(1, texts.slice(0, 2))).toBe('ok')
  expect(await send(1, texts)).toBe('ok')
  expect(await send(1, texts)).toBe('ok')
  expect(await send(1, texts, newTestId('run'))).toBe('not_found')
  const run = await api.runs.get.query({ id: runId })
  expect(run.transcript).toMatchObject({ complete: true, events: 3, hash })
  expect((await api.runs.transcript.query({ id: runId })).events.map((event) => event.text)).toEqual(texts)
})
