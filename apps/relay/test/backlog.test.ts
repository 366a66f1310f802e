import { sql } from '@baton/db'
import { connectWireRunner, eventually } from '@baton/testkit'
import { signRequest } from '@baton/webhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type GithubPlace, openGithubPlace } from './support/github-place.ts'

let place: GithubPlace
let hook: { url: string; secret: string }
let first: { eventId: string; runId: string }
let pushTriggerId: string

/** Lets so many wait for the machine, copied from one delivery; what they refer to is there, so nothing is looked up. */
async function fill(count: number) {
  for (let left = count; left > 0; left -= 10_000)
    await sql
      .raw(
        `do $$ begin
        set local session_replication_role = replica;
        insert into deliveries (id, organization_id, event_id, agent_id, machine_id, run_id, prompt, limits, max_attempts,
          repeatable, state)
        select 'dlv_' || uuid7_hex(), organization_id, event_id, agent_id, machine_id, 'run_' || uuid7_hex(), 'wait', limits, 3,
          false, 'pending'
        from deliveries d, generate_series(1, ${Math.min(left, 10_000)}) where d.run_id = '${first.runId}';
      end $$`,
      )
      .execute(place.db.db)
  await look()
}
const makeRoom = () =>
  sql`delete from deliveries where id in (select id from deliveries where prompt = 'wait' limit 1000)`.execute(
    place.db.db,
  )
/** The relay asks again as soon as anything was changed about its jobs. */
const look = () => place.api.jobs.update.mutate({ id: 'fix', name: 'Fix' })

function send(body: string, id: string) {
  const headers = signRequest({
    scheme: 'standard',
    secret: hook.secret,
    id,
    body: Buffer.from(body),
    timestampMs: Date.now(),
  })
  return fetch(hook.url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })
}

beforeAll(async () => {
  place = await openGithubPlace()
  const made = await place.api.jobs.create.mutate({
    key: 'fix',
    agent: 'demo',
    prompt: 'go',
    triggers: [
      { kind: 'webhook', scheme: 'standard' },
      { kind: 'git_push' },
      { kind: 'github', event: 'issue_comment', command: '/fix' },
    ],
  })
  hook = made.secrets[0] as typeof hook
  pushTriggerId = made.job.triggers.find((one) => one.kind === 'git_push')?.id ?? ''
  first = await place.api.jobs.run.mutate({ id: 'fix', idempotencyKey: 'first' })
  expect((await send('{"n":1}', 'msg-1')).status).toBe(202)
  await fill(100_000)
}, 120_000)
afterAll(async () => {
  await place?.[Symbol.asyncDispose]()
})

const countEvents = async () =>
  (await sql<{ n: number }>`select count(*)::int as n from events`.execute(place.db.db)).rows[0]?.n

test('people and senders are refused with a reason while too much waits, and a repeat gets its first answer', async () => {
  const before = await countEvents()
  const { api } = place
  const refused = { data: { batonCode: 'backlog_full', httpStatus: 429 } }
  await expect(api.jobs.run.mutate({ id: 'fix' })).rejects.toMatchObject(refused)
  await expect(api.runs.create.mutate({ prompt: 'go', agent: 'demo' })).rejects.toMatchObject(refused)
  await expect(api.runs.again.mutate({ id: first.runId })).rejects.toThrow('100,000 deliveries wait')
  await expect(api.events.replay.mutate({ id: first.eventId })).rejects.toMatchObject(refused)
  const answer = await send('{"n":2}', 'msg-2')
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '60'])
  expect(await answer.json()).toMatchObject({ type: 'https://baton.dev/problems/backlog-full' })

  expect(await api.jobs.run.mutate({ id: 'fix', idempotencyKey: 'first' })).toEqual(first)
  expect((await send('{"n":1}', 'msg-1')).status).toBe(202)
  expect(await countEvents()).toBe(before)
})

test('a slot of a schedule is an event that says why it started nothing', async () => {
  const made = await place.api.jobs.addTrigger.mutate({
    id: 'fix',
    trigger: { kind: 'interval', everyMs: 10_000 },
  })
  await sql`update triggers set next_fire_at = now() - interval '1 second' where kind = 'interval'`.execute(
    place.db.db,
  )
  const event = await eventually(
    async () => {
      const { items } = await place.api.events.list.query({ jobId: made.job.id, source: ['interval'] })
      expect(items).not.toEqual([])
      return items.at(-1)
    },
    { timeoutMs: 15_000 },
  )
  expect(event).toMatchObject({ state: 'ignored', reason: 'backlog_full', deliveries: [] })
  const why = await place.api.why.explain.query({ id: event?.id ?? '' })
  expect(why.sentence).toContain('100,000 deliveries wait')
}, 30_000)

test('an event of GitHub waits until there is room, says so meanwhile, and fires then', async () => {
  let asked = 0
  const isAsked = (_: string, path: string) => path.endsWith('/permission')
  place.github.weather.add({ match: isAsked, kind: 'fail', times: 100, onHit: () => (asked += 1) })
  const answer = await place.post(
    'issue_comment',
    place.comment(place.ada, '/fix when there is room').payload,
  )
  expect(answer.status).toBe(202)
  const { eventId } = (await answer.json()) as { eventId: string }
  await eventually(async () => {
    const { lastError } = await place.api.integrations.github.verdicts.query({ id: eventId })
    expect(lastError).toContain('100,000 deliveries wait')
  })
  const why = await place.api.why.explain.query({ id: eventId })
  expect(why.conditions).toMatchObject([{ code: 'not_decided', what: expect.stringContaining('100,000') }])
  expect(await place.api.events.get.query({ id: eventId })).toMatchObject({ state: 'accepted' })
  expect(asked).toBe(0)
  place.github.weather.clear()
  await makeRoom()
  await look()
  await sql`update github_events set next_at = now() where next_at is not null`.execute(place.db.db)
  await eventually(async () => {
    expect(await place.api.events.get.query({ id: eventId })).toMatchObject({ state: 'matched' })
  })
}, 30_000)

test('what a machine reports while too much waits is told again, and what can never be stored holds up nothing', async () => {
  const runner = await connectWireRunner(place.relay.url, place.machineKey)
  const fire = (key: string) => ({
    kind: 'git_push' as const,
    triggerId: pushTriggerId,
    key,
    payload: {
      push: {
        hook: 'pre-push' as const,
        branch: 'main',
        ref: 'refs/heads/main',
        before: '0'.repeat(40),
        after: '1'.repeat(40),
        commits: [],
        repository: 'shop',
        remote: null,
      },
    },
  })
  const poison = { ...fire('poison-push'), payload: { push: 'no push' } } as unknown as ReturnType<
    typeof fire
  >
  const tell = () => runner.api.runner.fire.mutate({ fires: [poison, fire('push-after-poison')] as never })
  await fill(1_000)
  expect(await tell()).toMatchObject([
    { key: 'poison-push', result: 'refused' },
    { key: 'push-after-poison', result: 'later', message: expect.stringContaining('100,000') },
  ])
  await makeRoom()
  await look()
  expect(await tell()).toMatchObject([{ result: 'refused' }, { result: 'stored' }])
  await runner.close()
}, 30_000)
