import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Baton, BatonApiError, RunFailedError } from '@baton/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from './support/open-home.ts'
import { runNode } from './support/run-command.ts'
import { type RunningDev, startDev } from './support/start-dev.ts'

let dev: RunningDev
beforeAll(async () => {
  dev = await startDev()
})
afterAll(() => dev[Symbol.asyncDispose]())

const example = fileURLToPath(new URL('../../packages/sdk/examples/run-and-follow.ts', import.meta.url))
const token = async () =>
  (await readFile(join(dev.env.BATON_HOME ?? '', 'config/profiles/default.token'), 'utf8')).trim()

test('the example starts a run, prints what its agent does and the result, and ends by itself', async () => {
  const env = { ...dev.env, BATON_URL: dev.url, BATON_TOKEN: await token() }
  const { code, stdout, stderr } = await runNode([example, 'demo', 'Summarize this folder'], { env })
  expect(code, stderr).toBe(0)
  expect(stdout).toContain('● Write')
  expect(stdout).toMatch(/finished: done/)
  expect(stderr).toMatch(new RegExp(`run_[0-9a-f]{32} {2}${dev.url}/runs/run_`))
})

test('a run that failed is an error that says what happened and where to look', async () => {
  const run = await dev.baton.runs.create({ agent: 'demo', prompt: '@demo fail 3' })
  const failure = await run.result().catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(RunFailedError)
  expect(failure).toMatchObject({ outcome: 'error', url: run.url })
  expect((failure as RunFailedError).message).toContain(run.url)
})

test('every event comes once and in order, whether stored, live or asked for from the middle', async () => {
  const run = await dev.baton.runs.create({ agent: 'demo', prompt: '@demo lines 50 5' })
  const seen: number[] = []
  for await (const event of run.events()) seen.push(event.seq)
  expect(seen).toEqual(seen.map((_, index) => index + 1))
  const again: number[] = []
  for await (const event of run.events({ fromSeq: 20 })) again.push(event.seq)
  expect(again).toEqual(seen.slice(19))
})

test('a reader that stops for the whole run has bounded memory and misses nothing', async () => {
  const run = await dev.baton.runs.create({ agent: 'demo', prompt: '@demo lines 6000 0' })
  const seen: number[] = []
  for await (const event of run.events()) {
    if (seen.length === 0) await run.result()
    seen.push(event.seq)
  }
  expect(seen.length).toBeGreaterThan(6_000)
  expect(seen).toEqual(seen.map((_, index) => index + 1))
})

test('the same idempotency key never starts a second run', async () => {
  const input = { agent: 'demo', prompt: '@demo ok', idempotencyKey: 'once' }
  const [one, two] = await Promise.all([dev.baton.runs.create(input), dev.baton.runs.create(input)])
  expect(two.id).toBe(one.id)
  await one.result()
})

test('a cancelled run ends with its processes within two seconds, and says so', async () => {
  const run = await dev.baton.runs.create({ agent: 'demo', prompt: '@demo hang' })
  for await (const event of run.events()) if (event.type === 'started') break
  const askedAt = performance.now()
  await run.cancel('enough')
  const failure = await run.result().catch((error: unknown) => error)
  expect(performance.now() - askedAt).toBeLessThan(2_500)
  expect(failure).toBeInstanceOf(RunFailedError)
  const view = await run.get()
  expect(view).toMatchObject({ status: 'stopped', state: 'cancelled' })
  expect(view.killProof?.survivors).toBe(0)
})

test('lists are walked over their pages', async () => {
  const ids = new Set<string>()
  for await (const run of dev.baton.runs.list({ pageSize: 2 })) ids.add(run.id)
  expect(ids.size).toBeGreaterThan(3)
})

test('an unknown run, a wrong token and a relay that is away are errors with a code', async () => {
  await expect(dev.baton.runs.get(`run_${'0'.repeat(32)}`)).rejects.toMatchObject({
    code: 'not_found',
    status: 404,
  })
  await using wrong = new Baton({ url: dev.url, token: 'bt_wrong' })
  const refused = await wrong.me().catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(BatonApiError)
  expect(refused).toMatchObject({ code: 'not_signed_in', retryable: false })
  await using away = new Baton({ url: `http://127.0.0.1:${await freePort()}`, token: 'bt_x' })
  await expect(away.me()).rejects.toMatchObject({
    code: 'unavailable',
    retryable: true,
    message: expect.stringContaining('nothing listens there'),
  })
})
