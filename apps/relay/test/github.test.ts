import { randomUUID } from 'node:crypto'
import { sql } from '@baton/db'
import { eventually } from '@baton/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { connectIdleRunner, type GithubPlace, openGithubPlace } from './support/github-place.ts'

let place: GithubPlace

beforeAll(async () => {
  place = await openGithubPlace()
  await place.api.jobs.create.mutate({
    key: 'fix',
    agent: 'demo',
    prompt: 'Fix {{ payload.issue.title }}',
    triggers: [{ kind: 'github', event: 'issue_comment', command: '/fix', repositories: ['acme/*'] }],
  })
}, 60_000)
afterAll(async () => {
  await place?.[Symbol.asyncDispose]()
})
beforeEach(() => place.github.weather.clear())

const eventOf = async (answer: Response) => ((await answer.json()) as { eventId: string }).eventId
const decided = (eventId: string) =>
  eventually(async () => {
    const event = await place.api.events.get.query({ id: eventId })
    expect(event.state).not.toBe('accepted')
    return event
  })

test('a comment of a person with write permission becomes a run, a reaction, a check run and one comment', async () => {
  const { id, payload } = place.comment(place.ada, '/fix please')
  const answer = await place.post('issue_comment', payload)
  expect(answer.status).toBe(202)
  const event = await decided(await eventOf(answer))
  expect(event).toMatchObject({ state: 'matched', source: 'github', deliveries: [{ state: 'pending' }] })

  const comment = () => place.repository.comments.filter((one) => one.app === place.app)
  await eventually(() => {
    expect(place.repository.comments.find((one) => one.id === id)?.reactions).toMatchObject([
      { content: 'eyes' },
    ])
    expect(place.repository.checks).toMatchObject([
      { name: 'baton / fix', status: 'queued', head_sha: 'a'.repeat(40) },
    ])
    expect(comment()).toHaveLength(1)
  })
  const idle = await connectIdleRunner(place)
  const delivery = await eventually(() => {
    expect(idle.deliveries).toHaveLength(1)
    return idle.deliveries[0] as (typeof idle.deliveries)[0]
  })
  expect(delivery).toMatchObject({ trust: 'public', event: { source: 'github' } })
  expect(delivery.prompt).toContain('<<<DATA')
  await idle.start(delivery)
  await eventually(() => expect(place.repository.checks).toMatchObject([{ status: 'in_progress' }]))
  await idle.finish(delivery, 'Repaired the button. Closes #7, thanks @eve.')
  await eventually(() => {
    expect(place.repository.checks).toMatchObject([{ status: 'completed', conclusion: 'success' }])
    expect(comment()[0]?.body).toContain('Repaired the button.')
  })
  expect(comment()).toHaveLength(1)
  // Nobody is called and nothing is closed by what an agent says.
  expect(comment()[0]?.body).not.toMatch(/@eve|closes #7/i)
  expect(place.repository.checks).toHaveLength(1)
  await idle.runner.close()
})

test('a payload of GitHub is rehearsed without its headers, for a job that is kept and for one that is not yet', async () => {
  const { payload } = place.comment(place.ada, '/fix please')
  const kept = await place.api.jobs.rehearse.query({ id: 'fix', payload })
  expect(kept).toMatchObject({ fires: true, missing: [] })
  expect(kept.prompt).toContain('It breaks')
  const trigger = { kind: 'github' as const, event: 'issue_comment' as const, command: '/other' }
  const draft = { prompt: '{{ payload.issue.nothing }}', trigger, payload }
  expect(await place.api.jobs.rehearseDraft.query(draft)).toMatchObject({
    fires: false,
    reason: 'filtered',
    missing: ['payload.issue.nothing'],
  })
})

test('the same delivery again, and the same body under another id, are the first event', async () => {
  const { payload } = place.comment(place.ada, 'nothing to do here')
  const guid = randomUUID()
  const first = await eventOf(await place.post('issue_comment', payload, { guid }))
  expect(await eventOf(await place.post('issue_comment', payload, { guid }))).toBe(first)
  const others = await Promise.all(
    Array.from({ length: 20 }, async () => eventOf(await place.post('issue_comment', payload))),
  )
  expect(new Set(others)).toEqual(new Set([first]))
  const { payload: changed } = place.comment(place.ada, 'something else')
  expect((await place.post('issue_comment', changed, { guid })).status).toBe(409)
})

test.each([
  ['a wrong signature', { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }, 401],
  ['an App that nobody connected', { 'x-github-hook-installation-target-id': '999999' }, 401],
  ['another event name than the body has', { 'x-github-event': 'push' }, 400],
  ['a compressed body', { 'content-encoding': 'gzip' }, 415],
  ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
])('%s is refused and nothing is stored', async (_, headers, status) => {
  const { payload } = place.comment(place.ada, '/fix refused')
  const count = async () =>
    (await sql<{ n: number }>`select count(*)::int as n from events`.execute(place.db.db)).rows[0]?.n
  const before = await count()
  const answer = await place.post('issue_comment', payload, { headers })
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toContain('problem+json')
  expect(await count()).toBe(before)
})
