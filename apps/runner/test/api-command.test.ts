import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startTestRelay, type TestRelay } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'

const COMMAND = fileURLToPath(new URL('../bin/baton.mjs', import.meta.url))

let relay: TestRelay
let home: string
let token: string

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'baton-api-'))
  relay = await startTestRelay()
  const agents = [{ key: 'demo', name: 'Demo', runtime: 'command', command: 'demo' }]
  token = (
    await relay.setup<{ token: string }>({ userName: 'Ann', machineName: 'laptop', wantToken: true, agents })
  ).token
}, 60_000)
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]()
  await rm(home, { recursive: true, force: true })
})

function baton(args: string[], as = token): Promise<{ code: number; out: string; err: string }> {
  const env = { PATH: process.env.PATH, BATON_HOME: home, BATON_URL: relay.url, BATON_TOKEN: as }
  return new Promise((resolve) =>
    execFile(process.execPath, [COMMAND, ...args], { env, maxBuffer: 4_000_000 }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    ),
  )
}

test('any procedure can be called by its name, a query and a mutation alike', async () => {
  const made = await baton(['api', 'jobs.create', '-f', 'key=nightly', '-f', 'agent=demo', '-f', 'prompt=hi'])
  expect(JSON.parse(made.out).job.key).toBe('nightly')
  const limits = await baton(['api', 'jobs.update', '-f', 'id=nightly', '-f', 'limits={"wallMs":60000}'])
  expect(JSON.parse(limits.out).limits.wallMs).toBe(60_000)
  const list = await baton(['api', 'jobs.list', '--json'])
  expect(JSON.parse(list.out)).toHaveLength(1)
})

test('a refusal has the exit code that every command gives for it', async () => {
  const missing = await baton(['api', 'jobs.get', '-f', 'id=nothing'])
  expect([missing.code, missing.out]).toEqual([3, ''])
  expect((await baton(['api', 'jobs.nothing'])).code).toBe(3)
  expect((await baton(['api', 'jobs.get', '-f', 'id'])).code).toBe(2)
})

test('the description of the REST API needs no token', async () => {
  const { out } = await baton(['openapi'], '')
  expect(JSON.parse(out).openapi).toBe('3.1.0')
})

test('a token of the command line does what its scopes say', async () => {
  const narrow = (await baton(['token', 'create', 'ci', '--scopes', 'read'])).out.trim()
  expect((await baton(['api', 'jobs.list'], narrow)).code).toBe(0)
  const refused = await baton(['run', 'hello', '--agent', 'demo', '--detach'], narrow)
  expect(refused.code).toBe(5)
  expect(refused.err).toContain('lacks the scope "run"')
  expect((await baton(['token', 'create', 'ci', '--scopes', 'root'])).code).toBe(2)
  expect((await baton(['token', 'list'])).out).toMatch(/ci +read +/)
})
