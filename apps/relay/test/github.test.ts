import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sql } from '@baton/db'
import { addInstallation, addRepository, addUser, eventually } from '@baton/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { examplePayload } from './support/github-payloads.ts'
import {
  connectIdleRunner,
  EVENTS,
  type GithubPlace,
  openGithubPlace,
  PERMISSIONS,
} from './support/github-place.ts'

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

test('an App of another organization is answered like one that does not exist', async () => {
  const { token } = await place.relay.setup<{ token: string }>({
    organization: 'other',
    userName: 'Mallory',
    wantToken: true,
  })
  const ask = async (path: string, input: object) => {
    const response = await fetch(`${place.relay.url}/trpc/integrations.github.${path}`, {
      method: path === 'remove' || path === 'redeliver' ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(path === 'remove' || path === 'redeliver' ? { body: JSON.stringify(input) } : {}),
    })
    return response.status
  }
  for (const path of ['remove', 'redeliver']) {
    expect(await ask(path, { id: place.appId })).toBe(404)
    expect(await ask(path, { id: 'gha_00000000000000000000000000000000' })).toBe(404)
  }
})

test('a manifest makes the App on GitHub, and its first event arrives', async () => {
  const { github, api } = place
  const setup = await api.integrations.github.beginSetup.mutate({
    webUrl: github.url,
    name: 'Baton Two',
    owner: 'acme',
  })
  const page = await (await fetch(setup.url)).text()
  const action = /action="([^"]+)"/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? ''
  const manifest =
    /name="manifest" value="([^"]+)"/.exec(page)?.[1]?.replaceAll('&quot;', '"').replaceAll('&#39;', "'") ??
    ''
  expect(new URL(action).pathname).toBe('/organizations/acme/settings/apps/new')
  expect(JSON.parse(manifest)).toMatchObject({
    default_permissions: PERMISSIONS,
    hook_attributes: { url: `${place.relay.url}/github/webhook` },
  })
  const made = await fetch(action, {
    method: 'POST',
    body: new URLSearchParams({ manifest }),
    redirect: 'manual',
  })
  const back = made.headers.get('location') ?? ''
  const done = await fetch(back)
  expect(await done.text()).toContain('Baton Two')
  expect((await fetch(back)).status).toBe(404)
  const { app } = await api.integrations.github.setup.query({ id: setup.id })
  expect(app).toMatchObject({ name: 'Baton Two', slug: 'baton-two' })
  const two = github.world.apps.find((one) => one.slug === 'baton-two')
  if (!two) throw new Error('GitHub has no second App.')
  const repository = addRepository(github.world, 'acme/other')
  const installation = addInstallation(github.world, two, addUser(github.world, 'acme-two'), [repository])
  const payload = examplePayload('push', null, { installation, repository, sender: place.ada })
  expect((await github.webhooks.send(two, 'push', payload)).status_code).toBe(202)
  const checks = await api.integrations.github.doctor.query({ id: app?.id ?? '' })
  expect(checks.filter((one) => !one.ok)).toEqual([])
  expect(await api.integrations.github.installations.query({ id: 'baton-two' })).toMatchObject([
    { id: installation.id, account: 'acme-two' },
  ])
  expect(
    await api.integrations.github.repositories.query({ id: 'baton-two', installationId: installation.id }),
  ).toMatchObject({
    items: [{ fullName: 'acme/other' }],
    total: 1,
  })
  await api.integrations.github.remove.mutate({ id: 'baton-two' })
  expect((await github.webhooks.send(two, 'push', { ...payload, again: 1 })).status_code).toBe(401)
})

test('a clock of GitHub that differs by eleven minutes keeps nothing from working', async () => {
  place.github.setClock(11 * 60_000)
  try {
    expect(await place.api.integrations.github.doctor.query({ id: place.appId })).toContainEqual(
      expect.objectContaining({ name: 'key', ok: true }),
    )
  } finally {
    place.github.setClock(0)
  }
})

test('an address that is no GitHub is refused with what to do, and nothing is kept', async () => {
  const server = createServer(
    (_, response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const webUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const register = place.api.integrations.github.register.mutate({
      webUrl,
      appId: 1,
      privateKey: place.app.privateKey,
      webhookSecret: 'x'.repeat(24),
    })
    await expect(register).rejects.toThrow(/another address/)
    expect(EVENTS).toHaveLength(9)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
