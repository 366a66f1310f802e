import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { eventually } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { entryFile } from '../src/entry.ts'
import { type RunnerProcess, startRunnerProcess } from './support/runner-process.ts'
import { createTestPlace, type TestPlace } from './support/test-place.ts'

const run = promisify(execFile)

let place: TestPlace
let runner: RunnerProcess
let home = ''
let paths: Awaited<ReturnType<TestPlace['makeHome']>>['paths']
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  place = await createTestPlace()
  const made = await place.makeHome()
  home = made.home
  paths = made.paths
  const { secret } = await place.api.tokens.create.mutate({ name: 'test' })
  await writeFile(paths.tokenFile, secret, { mode: 0o600 })
  env = { PATH: process.env.PATH, HOME: place.folder, BATON_HOME: home, GIT_CONFIG_GLOBAL: '/dev/null' }
  runner = startRunnerProcess(home)
  await runner.ready
}, 60_000)
afterAll(async () => {
  await runner?.[Symbol.asyncDispose]()
  await place?.[Symbol.asyncDispose]()
})

async function baton(...args: string[]) {
  const { stdout } = await run(process.execPath, [entryFile, ...args, '--json'], { env })
  return JSON.parse(stdout)
}
const git = (folder: string, ...args: string[]) =>
  run('git', ['-C', folder, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', ...args], { env })

let count = 0
async function folder() {
  const made = join(place.folder, `folder-${++count}`)
  await mkdir(made)
  return made
}
const eventsOf = async (job: string) => (await place.api.events.list.query({ jobId: job })).items

test('files that change on the machine fire a job, its own run does not, and nothing is lost while the relay is away', async () => {
  const watched = await folder()
  const key = 'watch'
  await baton(
    'job', 'create', key, '--agent', 'demo', '--cwd', watched, '--watch', watched, '--glob', '**/*.md',
    '--quiet', '1s', '--prompt', '@demo write made.md by-the-run\n@demo lines 3 0\n{{ changes.paths }}',
  ) // biome-ignore format: one line of a shell
  await eventually(async () => {
    const { items } = await baton('job', 'trigger', 'list', key)
    expect(items[0]).toMatchObject({ kind: 'file_change', watch: { state: 'watching' } })
  })
  await writeFile(join(watched, 'notes.txt'), 'no')
  await writeFile(join(watched, 'a.md'), 'one')
  const [event] = await eventually(
    async () => {
      const events = await eventsOf(key)
      expect(events).toHaveLength(1)
      return events
    },
    { timeoutMs: 15_000 },
  )
  const finished = await place.untilFinished(event?.deliveries[0]?.runId ?? '')
  expect(finished).toMatchObject({ state: 'succeeded' })
  expect(finished.prompt).toContain('["a.md"]')
  expect(await readFile(join(watched, 'made.md'), 'utf8')).toBe('by-the-run\n')

  await place.relay.kill()
  let tries = 0
  await eventually(
    async () => {
      // What changes within two seconds of the end of the job's run counts as the run's.
      await writeFile(join(watched, 'b.md'), `while the relay is away ${++tries}`)
      expect(await readdir(paths.firesFolder)).toHaveLength(1)
    },
    { timeoutMs: 20_000, everyMs: 1_500 },
  )
  await place.relay.start()
  await eventually(async () => expect((await eventsOf(key)).length).toBeGreaterThan(1), { timeoutMs: 30_000 })
  const [second] = await eventsOf(key)
  const detail = await place.api.events.get.query({ id: second?.id ?? '' })
  expect(JSON.parse(detail.body)).toMatchObject({ changes: { paths: ['b.md'], overflow: false } })
  await eventually(async () => expect(await readdir(paths.firesFolder)).toEqual([]))

  await place.untilFinished(second?.deliveries[0]?.runId ?? '')
  await eventually(
    async () => {
      const [index = ''] = await readdir(paths.watchIndexFolder)
      const told = (await readFile(join(paths.watchIndexFolder, index), 'utf8')).split('"made.md"')
      expect(told.length).toBeGreaterThan(2)
      expect(JSON.parse(await readFile(paths.statusFile, 'utf8')).runs).toEqual([])
    },
    { timeoutMs: 15_000 },
  )
  const known = (await eventsOf(key)).length
  await runner.kill('SIGKILL')
  await writeFile(join(watched, 'c.md'), 'while the runner is away')
  runner = startRunnerProcess(home)
  await eventually(async () => expect(await eventsOf(key)).toHaveLength(known + 1), { timeoutMs: 30_000 })
  const [third] = await eventsOf(key)
  const missed = await place.api.events.get.query({ id: third?.id ?? '' })
  expect(JSON.parse(missed.body)).toMatchObject({ changes: { paths: ['c.md'], missed: true } })
}, 90_000)

test('a folder that the policy does not allow is refused, and the trigger says so', async () => {
  await baton('job', 'create', 'outside', '--agent', 'demo', '--watch', '/etc', '--prompt', 'x')
  await eventually(async () => {
    const { items } = await baton('job', 'trigger', 'list', 'outside')
    expect(items[0].watch).toMatchObject({ state: 'refused', message: expect.stringContaining('policy') })
  })
})

test('a push fires beside the hook that was there, which still decides; without a relay it is told later', async () => {
  const [repository, remote] = [await folder(), await folder()]
  await git(remote, 'init', '--bare', '-q')
  await git(repository, 'init', '-q', '-b', 'main')
  await git(repository, 'remote', 'add', 'origin', remote)
  const before = '#!/bin/sh\ncat > hook-input\ntest ! -e refuse\n'
  const hook = join(repository, '.git/hooks/pre-push')
  await writeFile(hook, before)
  await chmod(hook, 0o755)
  await baton(
    'job',
    'create',
    'pushed',
    '--agent',
    'demo',
    '--git-push',
    '--prompt',
    '@demo ok {{ push.branch }} {{ push.commits.0.subject }}',
  )
  const installed = await baton(
    'hook',
    'git',
    'install',
    '--repo',
    repository,
    '--job',
    'pushed',
    '--branch',
    'main',
    'release/*',
  )
  expect(installed).toMatchObject({ hook: 'pre-push', result: 'chained' })
  const token = (await readFile(paths.tokenFile, 'utf8')).trim()
  for (const file of [hook, join(repository, '.git/baton-hooks.json')])
    expect(await readFile(file, 'utf8')).not.toContain(token)

  const commit = async (name: string) => {
    await writeFile(join(repository, name), name)
    await git(repository, 'add', name)
    await git(repository, 'commit', '-q', '-m', `Add ${name}`)
  }
  await commit('one')
  await git(repository, 'push', '-q', 'origin', 'main', 'main:topic')
  const [event] = await eventually(
    async () => {
      const events = await eventsOf('pushed')
      expect(events).toHaveLength(1)
      return events
    },
    { timeoutMs: 15_000 },
  )
  const view = await place.view(event?.deliveries[0]?.runId ?? '')
  expect(view.prompt).toBe('@demo ok main Add one')
  expect(await readFile(join(repository, 'hook-input'), 'utf8')).toMatch(
    /refs\/heads\/main [0-9a-f]{40} refs\/heads\/main 0{40}\n/,
  )

  await writeFile(join(repository, 'refuse'), '')
  await commit('two')
  await expect(git(repository, 'push', '-q', 'origin', 'main')).rejects.toThrow()
  await run('rm', [join(repository, 'refuse')])

  await place.relay.kill()
  const startedAt = performance.now()
  await git(repository, 'push', '-q', 'origin', 'main')
  expect(performance.now() - startedAt).toBeLessThan(5_000)
  await eventually(async () => expect(await readdir(paths.firesFolder)).toHaveLength(1), {
    timeoutMs: 15_000,
  })
  await place.relay.start()
  await eventually(async () => expect(await eventsOf('pushed')).toHaveLength(2), { timeoutMs: 30_000 })

  await baton('hook', 'git', 'uninstall', '--repo', repository)
  expect(await readFile(hook, 'utf8')).toBe(before)
  expect(await readdir(join(repository, '.git/hooks'))).not.toContain('pre-push.before-baton')
  expect(await readdir(join(repository, '.git'))).not.toContain('baton-hooks.json')
}, 90_000)

test('pushes that arrive on a server fire by post-receive', async () => {
  const [server, laptop] = [await folder(), await folder()]
  await git(server, 'init', '--bare', '-q')
  await git(laptop, 'init', '-q', '-b', 'main')
  await baton('job', 'create', 'received', '--agent', 'demo', '--git-push', '--prompt', '@demo ok')
  await baton('hook', 'git', 'install', '--repo', server, '--job', 'received', '--post-receive')
  await writeFile(join(laptop, 'a'), 'a')
  await git(laptop, 'add', 'a')
  await git(laptop, 'commit', '-q', '-m', 'First')
  // Names of branches are data: nothing in them is ever evaluated (T-42).
  const hostile = `a;$(touch\${IFS}${place.folder}/pwned)'"\`touch\${IFS}x\``
  await git(laptop, 'push', '-q', server, 'main', 'main:refs/tags/v1', `main:refs/heads/${hostile}`)
  const events = await eventually(
    async () => {
      const events = await eventsOf('received')
      expect(events).toHaveLength(2)
      return events
    },
    { timeoutMs: 15_000 },
  )
  const bodies = await Promise.all(events.map(({ id }) => place.api.events.get.query({ id })))
  const pushes = bodies.map(({ body }) => JSON.parse(body).push)
  expect(new Set(pushes.map(({ branch }) => branch))).toEqual(new Set([hostile, 'main']))
  expect(await readdir(place.folder)).not.toContain('pwned')
  expect(pushes.find(({ branch }) => branch === 'main')).toMatchObject({
    hook: 'post-receive',
    commits: [{ subject: 'First' }],
  })
}, 60_000)

test('events are forwarded to a server here, those that came while nobody listened too, each once', async () => {
  const received: { body: string; event: string }[] = []
  const server = createServer((request: IncomingMessage, response) => {
    void text(request).then((body) => {
      received.push({ body, event: String(request.headers['x-baton-event']) })
      response.writeHead(204).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await baton('job', 'create', 'forwarded', '--agent', 'demo', '--hook', 'baton', '--prompt', '@demo ok')
  const listen = () => {
    const args = [entryFile, 'hook', 'listen', 'forwarded', '--forward-to', String(port), '--json']
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    return { child, exited: once(child, 'exit') }
  }
  const first = listen()
  await eventually(
    async () => {
      await baton('event', 'sample', 'forwarded')
      expect(received.length).toBeGreaterThan(0)
    },
    { timeoutMs: 20_000, everyMs: 500 },
  )
  first.child.kill('SIGINT')
  expect((await first.exited)[0]).toBe(0)
  const seen = received.length
  const { eventId } = await baton('event', 'sample', 'forwarded')
  const second = listen()
  await eventually(() => expect(received.some(({ event }) => event === eventId)).toBe(true), {
    timeoutMs: 15_000,
  })
  expect(received.length).toBeGreaterThan(seen)
  expect(new Set(received.map(({ event }) => event)).size).toBe(received.length)
  expect(received.map(({ body }) => JSON.parse(body).type)).toContain('sample')
  second.child.kill('SIGINT')
  await second.exited
  server.close()
}, 60_000)

test('the inbox from the command line: search, replay with a changed body, curl, fixture, rehearse, simulate, next', async () => {
  await baton(
    'job',
    'create',
    'inbox',
    '--agent',
    'demo',
    '--hook',
    'github',
    '--filter',
    'payload.ref prefix refs/heads/',
    '--prompt',
    '@demo ok {{ payload.ref }}',
  )
  const outputs = join(place.folder, 'outputs.json')
  await writeFile(
    outputs,
    '[{"kind":"log","on":"failure","text":{"body":"{{ run.error }}"}},{"kind":"stdout"}]',
  )
  const more = ['--to', 'log', '--output', outputs]
  await baton('job', 'create', 'told', '--agent', 'demo', '--prompt', '@demo ok', ...more)
  expect((await baton('output', 'list', '--job', 'told')).items).toMatchObject([
    { kind: 'log', on: 'always' },
    { kind: 'log', on: 'failure', text: { body: '{{ run.error }}' } },
    { kind: 'stdout' },
  ])
  const { eventId } = await baton('event', 'sample', 'inbox')
  expect((await baton('event', 'list', '--job', 'inbox', '--search', 'octo-org')).items).toHaveLength(1)
  expect((await baton('event', 'list', '--job', 'inbox', '--source', 'cron')).items).toEqual([])
  const file = join(place.folder, 'changed.json')
  await writeFile(file, '{"ref":"refs/heads/changed"}')
  const replayed = await baton('event', 'replay', eventId, '--body-file', file)
  expect((await place.view(replayed.deliveries[0].runId)).prompt).toBe('@demo ok refs/heads/changed')
  expect((await baton('event', 'curl', eventId)).text).toContain('X-Hub-Signature-256')
  expect(JSON.parse((await baton('event', 'fixture', eventId)).text)).toMatchObject({ scheme: 'github' })
  expect(await baton('job', 'rehearse', 'inbox', '--payload', '{"ref":"refs/tags/v1"}')).toMatchObject({
    fires: false,
    reason: 'filtered',
  })
  const draft = [
    '--prompt',
    'See {{ payload.ref }} {{ payload.gone }}',
    '--agent',
    'demo',
    '--hook',
    'github',
  ]
  expect(await baton('job', 'rehearse', ...draft, '--event', eventId)).toMatchObject({
    fires: true,
    prompt: expect.stringMatching(/^See refs\//),
    missing: ['payload.gone'],
  })
  const long = join(place.folder, 'long.json')
  await writeFile(long, JSON.stringify({ ref: 'refs/heads/main', text: 'x'.repeat(100_000) }))
  expect(await baton('job', 'rehearse', 'inbox', '--payload-file', long)).toMatchObject({ fires: true })
  expect(await baton('job', 'simulate', 'inbox', '--days', '1')).toMatchObject({ fires: 1 })
  const { items } = await baton(
    'job',
    'next',
    '--cron',
    '30 2 * * 1-5',
    '--zone',
    'Europe/Berlin',
    '--count',
    '2',
  )
  expect(items[0]).toMatchObject({
    words: 'At 02:30, Monday through Friday (Europe/Berlin)',
    fires: { length: 2 },
  })
})
