import { startTestRelay } from '@baton/testkit'
import { type Document, type OpenAPIClient, OpenAPIClientAxios } from 'openapi-client-axios'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RestPlace, startRestPlace } from './support/rest-place.ts'

/** What of the generated client is used here; at run time its methods come from the description alone. */
type Answered<T> = Promise<{ status: number; data: T }>
type GeneratedClient = OpenAPIClient & {
  jobsCreate(parameters: null, body: object): Answered<{ job: { id: string } }>
  jobsGet(id: string): Answered<{ prompt: string }>
  jobsRun(id: string, body: object): Answered<{ runId: string }>
  jobsDelete(id: string): Answered<string>
  runsGet(id: string): Answered<{ status: string; job: { id: string } }>
  runsCancel(id: string, body: object): Answered<{ status: string }>
}

let place: RestPlace
beforeAll(async () => {
  place = await startRestPlace()
}, 60_000)
afterAll(() => place?.[Symbol.asyncDispose]())

let made = 0
const newJob = (only: object = {}) => ({
  key: `job-${++made}`,
  agent: place.agentId,
  prompt: 'Do it.',
  ...only,
})
const makeJob = async () => (await place.call('POST', '/api/v1/jobs', newJob())).body.job as { id: string }

test('a client generated from the description makes, runs, reads, stops and deletes a job', async () => {
  const definition = (await place.call('GET', '/api/openapi.json')).body as Document
  const api = new OpenAPIClientAxios({
    definition,
    withServer: { url: `${place.relay.url}/api/v1` },
    axiosConfigDefaults: { headers: { authorization: `Bearer ${place.token}` } },
  })
  const client = await api.init<GeneratedClient>()
  const created = await client.jobsCreate(null, newJob())
  expect(created.status).toBe(201)
  const { id } = created.data.job
  expect((await client.jobsGet(id)).data.prompt).toBe('Do it.')
  const run = await client.jobsRun(id, {})
  expect((await client.runsGet(run.data.runId)).data).toMatchObject({ status: 'asleep', job: { id } })
  expect((await client.runsCancel(run.data.runId, {})).data.status).toBe('stopped')
  expect((await client.jobsDelete(id)).status).toBe(204)
  const gone = await client.jobsGet(id).catch((error: { response: { status: number } }) => error.response)
  expect(gone.status).toBe(404)
})

test('what is made is found at its Location, and a deletion answers nothing', async () => {
  const answer = await place.call('POST', '/api/v1/jobs', newJob())
  expect(answer.status).toBe(201)
  const at = answer.headers.get('location') ?? ''
  expect((await place.call('GET', at)).body).toEqual(answer.body.job)
  const deleted = await place.call('DELETE', at)
  expect([deleted.status, deleted.text]).toEqual([204, ''])
  expect((await place.call('HEAD', at)).status).toBe(404)
})

test('refusals are problems with a stable type, a code, a request id and the fields that are wrong', async () => {
  const answer = await place.call('POST', '/api/v1/jobs', { key: 'A B', agent: place.agentId, prompt: '' })
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.body).toMatchObject({
    type: 'https://baton.dev/problems/bad-input',
    status: 400,
    code: 'bad_input',
    requestId: answer.headers.get('request-id'),
  })
  expect(answer.body.errors.map((one: { path: string }) => one.path)).toEqual(['key', 'prompt'])
})

test.each([
  [
    'a field that nobody knows',
    'POST',
    '/api/v1/jobs',
    { key: 'x', agent: 'demo', prompt: 'x', promt: 'x' },
    'promt',
  ],
  [
    'a field that nobody knows, deep inside',
    'POST',
    '/api/v1/jobs',
    { key: 'x', agent: 'demo', prompt: 'x', limits: { wallms: 1 } },
    'limits.wallms',
  ],
  ['a query that nobody knows', 'GET', '/api/v1/runs?statuss=failed', undefined, 'statuss'],
  ['a key in the body', 'POST', '/api/v1/runs', { prompt: 'x', idempotencyKey: 'k' }, 'Idempotency-Key'],
  ['the same field in path and body', 'PATCH', '/api/v1/jobs/x', { id: 'y' }, 'path'],
  ['what is no JSON', 'POST', '/api/v1/runs', '{', 'JSON'],
  ['a list for a body', 'POST', '/api/v1/runs', '[]', 'object'],
  ['a number that is none', 'GET', '/api/v1/runs?limit=many', undefined, 'limit'],
  ['a list too long', 'GET', '/api/v1/runs?limit=201', undefined, 'limit'],
])('%s is refused and named', async (what, method, path, body, named) => {
  const answer = await place.call(method, path, body)
  expect(answer.status).toBe(400)
  expect(answer.body.detail).toContain(named)
  const { errors } = answer.body
  if (what.includes('nobody knows'))
    expect(errors).toEqual([{ path: named, message: 'There is no such field.' }])
})

test('wrong methods, media types, sizes and addresses have answers of their own', async () => {
  const wrong = await place.call('PUT', '/api/v1/jobs')
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, POST'])
  expect((await place.call('POST', '/api/v1/runs', 'a=b', { 'content-type': 'text/plain' })).status).toBe(415)
  expect((await place.call('POST', '/api/v1/runs', { prompt: 'x'.repeat(1024 * 1024) })).status).toBe(413)
  expect((await place.call('GET', '/api/v1/nothing')).status).toBe(404)
  expect((await place.call('GET', '/api/v2/jobs')).status).toBe(404)
})

test('only a bearer token counts, and no other page may read anything', async () => {
  const bare = await fetch(`${place.relay.url}/api/v1/jobs`, { headers: { cookie: 'baton_session=x' } })
  expect([bare.status, bare.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="baton"'])
  const wrong = await place.call('GET', '/api/v1/jobs', undefined, { authorization: 'Bearer bt_wrong' })
  expect(wrong.status).toBe(401)
  const foreign = await place.call('GET', '/api/v1/jobs', undefined, { origin: 'https://evil.example' })
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull()
})

test('twenty equal requests with one key make one job, and each gets its answer in the end', async () => {
  const job = newJob({ triggers: [{ kind: 'webhook', scheme: 'github' }] })
  const ask = () => place.call('POST', '/api/v1/jobs', job, { 'idempotency-key': 'twenty' })
  const answers = await Promise.all(Array.from({ length: 20 }, ask))
  const firsts = answers.filter((one) => one.status === 201 && !one.headers.get('idempotency-replayed'))
  expect(firsts).toHaveLength(1)
  for (const one of answers.filter((answer) => answer.status !== 201)) {
    expect(one.status).toBe(409)
    expect(one.headers.get('retry-after')).toBe('1')
    expect(one.body.type).toContain('idempotency-in-progress')
  }
  const later = await ask()
  expect(later.headers.get('idempotency-replayed')).toBe('true')
  expect(later.headers.get('location')).toBe(firsts[0]?.headers.get('location'))
  // Also the secret, which is shown once: whoever lost the answer gets it again.
  expect(later.body).toEqual(firsts[0]?.body)
  const { body } = await place.call('GET', '/api/v1/jobs')
  expect(body.items.filter((one: { key: string }) => one.key === job.key)).toHaveLength(1)
})

test('a key belongs to one request of one token', async () => {
  const headers = { 'idempotency-key': 'mine' }
  const first = await place.call('POST', '/api/v1/runs', { prompt: 'one', agent: 'demo' }, headers)
  const other = await place.call('POST', '/api/v1/runs', { prompt: 'two', agent: 'demo' }, headers)
  expect([other.status, other.body.type]).toEqual([409, 'https://baton.dev/problems/idempotency-key-reused'])
  const token = await place.tokenFor(['run'])
  const theirs = await place.call(
    'POST',
    '/api/v1/runs',
    { prompt: 'two', agent: 'demo' },
    { ...headers, authorization: `Bearer ${token}` },
  )
  expect(theirs.status).toBe(201)
  expect(theirs.body.runId).not.toBe(first.body.runId)
})

test('a refused request gives its key back', async () => {
  const headers = { 'idempotency-key': 'again' }
  const job = newJob({ agent: 'nobody' })
  expect((await place.call('POST', '/api/v1/jobs', job, headers)).status).toBe(404)
  expect((await place.call('POST', '/api/v1/jobs', { ...job, agent: 'demo' }, headers)).status).toBe(201)
})

test('pages lose and repeat nothing while runs are added', async () => {
  const { id } = await makeJob()
  const run = async () => (await place.call('POST', `/api/v1/jobs/${id}/run`, {})).body.runId as string
  const before: string[] = []
  for (let batch = 0; batch < 12; batch++)
    before.push(...(await Promise.all(Array.from({ length: 10 }, run))))
  const seen: string[] = []
  let next: string | null = `/api/v1/runs?jobId=${id}&limit=13`
  while (next) {
    const page = await place.call('GET', next)
    seen.push(...page.body.items.map((item: { id: string }) => item.id))
    await run()
    const link: string | undefined = /<(.+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1]
    expect(link === undefined).toBe(page.body.nextCursor === null)
    next = link ?? null
  }
  expect(new Set(seen).size).toBe(seen.length)
  expect(before.filter((one) => !seen.includes(one))).toEqual([])
  expect(seen).toHaveLength(120)
})

test('a reader asks whether it is still so, and a writer whether it is still what was read', async () => {
  const { id } = await makeJob()
  const at = `/api/v1/jobs/${id}`
  const etag = (await place.call('GET', at)).headers.get('etag') ?? ''
  expect((await place.call('GET', at, undefined, { 'if-none-match': etag })).status).toBe(304)
  await place.call('POST', `${at}/run`, {})
  expect((await place.call('GET', at, undefined, { 'if-none-match': etag })).status).toBe(200)
  // The run shows on the job and is nobody's edit.
  const changes = ['One', 'Two', 'Three'].map((name) =>
    place.call('PATCH', at, { name }, { 'if-match': etag }),
  )
  const statuses = (await Promise.all(changes)).map((one) => one.status)
  expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 412, 412])
  const renamed = await place.call('PATCH', at, { name: 'Four' })
  expect(renamed.headers.get('etag')).toBe((await place.call('GET', at)).headers.get('etag'))
})

test('of changes that name one ETag exactly one is made, on whichever of two relays they come in', async () => {
  await using second = await startTestRelay({
    databaseUrl: place.relay.databaseUrl,
    env: { BATON_API_RATE: '100000' },
  })
  const { id: job } = await makeJob()
  const { output } = (await place.call('POST', '/api/v1/outputs', { job, kind: 'log' })).body
  const patch = async (relayUrl: string, at: string, etag: string, change: object) => {
    const response = await fetch(`${relayUrl}${at}`, {
      method: 'PATCH',
      headers: {
        authorization: `Bearer ${place.token}`,
        'content-type': 'application/json',
        'if-match': etag,
      },
      body: JSON.stringify(change),
    })
    return response.status
  }
  const things: [string, (n: number) => object][] = [
    [`/api/v1/jobs/${job}`, (n) => ({ prompt: `Number ${n}` })],
    ['/api/v1/agents/demo', (n) => ({ instructions: `Number ${n}` })],
    [`/api/v1/machines/${place.machineId}`, (n) => ({ name: `laptop-${n}` })],
    [`/api/v1/outputs/${output.id}`, (n) => ({ text: { subject: `Number ${n}` } })],
    ['/api/v1/organization', (n) => ({ name: `Number ${n}` })],
  ]
  for (const [at, change] of things) {
    for (let round = 1; round <= 4; round += 1) {
      const etag = (await place.call('GET', at)).headers.get('etag') ?? ''
      const urls = [place.relay.url, second.url, place.relay.url, second.url]
      const made = await Promise.all(urls.map((url, n) => patch(url, at, etag, change(10 * round + n))))
      expect([at, ...made.toSorted((one, other) => one - other)]).toEqual([at, 200, 412, 412, 412])
    }
  }
})

test('each token counts its own requests, and is told when to go on', async () => {
  await using small = await startRestPlace({ BATON_API_RATE: '3' })
  const one = await small.call('GET', '/api/v1/me')
  expect(one.headers.get('ratelimit-policy')).toBe('"token";q=3;w=60')
  expect(one.headers.get('ratelimit')).toMatch(/^"token";r=2;t=\d+$/)
  const token = await small.tokenFor(['read'])
  await small.call('GET', '/api/v1/me')
  const late = await small.call('GET', '/api/v1/me')
  expect([late.status, late.body.code]).toEqual([429, 'rate_limited'])
  expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(
    (await small.call('GET', '/api/v1/me', undefined, { authorization: `Bearer ${token}` })).status,
  ).toBe(200)
})

test('a token does what its scopes say and makes none that may do more', async () => {
  const as = (token: string) => ({ authorization: `Bearer ${token}` })
  const [read, run, admin] = await Promise.all(['read', 'run', 'admin'].map((one) => place.tokenFor([one])))
  const { id } = await makeJob()
  const statusOf = async (token: string | undefined, method: string, path: string, body?: object) =>
    (await place.call(method, `/api/v1${path}`, body, as(token ?? ''))).status
  expect(await statusOf(read, 'GET', `/jobs/${id}`)).toBe(200)
  expect(await statusOf(read, 'POST', `/jobs/${id}/run`, {})).toBe(403)
  expect(await statusOf(run, 'POST', `/jobs/${id}/run`, {})).toBe(201)
  expect(await statusOf(run, 'GET', `/jobs/${id}`)).toBe(403)
  expect(await statusOf(run, 'PATCH', `/jobs/${id}`, { name: 'x' })).toBe(403)
  expect(await statusOf(admin, 'POST', '/tokens', { name: 'more', scopes: ['write'] })).toBe(403)
  expect(await statusOf(admin, 'POST', '/tokens', { name: 'same' })).toBe(201)
  const me = await place.call('GET', '/api/v1/me', undefined, as(read ?? ''))
  expect(me.body.scopes).toEqual(['read'])
})
