import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  addApp,
  addInstallation,
  addRepository,
  addUser,
  eventually,
  githubHeaders,
  startStandInGithub,
} from '@baton/testkit'
import { expect, test } from 'vitest'
import { entryFile } from '../src/entry.ts'
import { startRunnerProcess } from './support/runner-process.ts'
import { createTestPlace } from './support/test-place.ts'

const run = promisify(execFile)
const git = async (cwd: string, ...args: string[]) =>
  (
    await run('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], { cwd })
  ).stdout.trim()

const PERMISSIONS = {
  contents: 'write',
  issues: 'write',
  pull_requests: 'write',
  checks: 'write',
  metadata: 'read',
}

/** A repository on GitHub and its clone on this computer, and a job that fixes it when somebody with permission says so. */
async function openPlace() {
  process.env.BATON_OUTBOUND_ALLOW = '127.0.0.1'
  const place = await createTestPlace()
  const github = await startStandInGithub()
  const { world } = github
  const app = addApp(world, {
    slug: 'baton-test',
    hookUrl: `${place.relay.url}/github/webhook`,
    permissions: PERMISSIONS,
    events: [],
  })
  const ada = addUser(world, 'ada')
  const repository = addRepository(world, 'acme/shop')
  repository.permissions.set(ada.id, 'write')
  repository.issues.set(7, {
    number: 7,
    title: 'It breaks',
    body: 'Often.',
    user: ada,
    labels: [],
    reactions: [],
  })
  const installation = addInstallation(world, app, ada, [repository])

  const bare = join(place.folder, 'shop.git')
  const clone = join(place.folder, 'shop')
  await mkdir(clone)
  await git(clone, 'init', '-q', '-b', 'main')
  await writeFile(join(clone, 'readme.md'), 'A shop\n')
  await git(clone, 'add', '.')
  await git(clone, 'commit', '-qm', 'Begin')
  await git(place.folder, 'clone', '-q', '--bare', clone, bare)
  repository.gitFolder = bare
  repository.heads.set('main', await git(clone, 'rev-parse', 'HEAD'))

  await place.api.integrations.github.register.mutate({
    webUrl: github.url,
    appId: app.id,
    privateKey: app.privateKey,
    webhookSecret: app.webhookSecret,
  })
  await place.api.jobs.create.mutate({
    key: 'fix',
    agent: 'demo',
    prompt: '@demo write fix.txt repaired\n@demo ok',
    workspace: `worktree:${clone}`,
    rules: { trust: 'member' },
    triggers: [{ kind: 'github', event: 'issue_comment', command: '/fix', feedback: { pullRequest: true } }],
  })
  const comment = async (body: string) => {
    const id = world.nextId()
    repository.comments.push({ id, kind: 'issue', number: 7, body, user: ada, app: null, reactions: [] })
    const payload = {
      action: 'created',
      issue: { number: 7, title: 'It breaks', body: 'Often.', user: ada },
      comment: { id, body, user: ada },
      repository: { id: repository.id, full_name: 'acme/shop', default_branch: 'main' },
      installation: { id: installation.id },
      sender: ada,
    }
    const text = JSON.stringify(payload)
    const headers = githubHeaders(app, { event: 'issue_comment', guid: randomUUID(), body: text })
    const answer = await fetch(app.hookUrl, { method: 'POST', body: text, headers })
    return { id, eventId: ((await answer.json()) as { eventId: string }).eventId }
  }
  return {
    ...place,
    github,
    app,
    repository,
    clone,
    bare,
    comment,
    own: () => repository.comments.filter((one) => one.app === app),
    async [Symbol.asyncDispose]() {
      await place[Symbol.asyncDispose]()
      await github[Symbol.asyncDispose]()
    },
  }
}

async function startRunner(home: string) {
  const runner = startRunnerProcess(home)
  await runner.ready
  return runner
}

const policyFor = (folder: string) => ({
  public: {
    permissionModes: ['read_only' as const],
    folders: [folder],
    environment: [],
    trustedJobs: ['fix'],
  },
})

test('a comment on GitHub ends as a run on this computer, a branch, a pull request, a check run and one comment', {
  timeout: 60_000,
}, async () => {
  await using place = await openPlace()
  const { home } = await place.makeHome('home', place.relay.url, policyFor(place.folder))
  await using runner = await startRunner(home)
  expect(runner.pid).toBeGreaterThan(0)
  const { id } = await place.comment('/fix please')
  await eventually(
    () => {
      expect(place.repository.pulls).toHaveLength(1)
      expect(place.repository.checks).toMatchObject([{ status: 'completed', conclusion: 'success' }])
      expect(place.own()).toHaveLength(1)
      expect(place.own()[0]?.body).toContain(`/pull/${place.repository.pulls[0]?.number}`)
    },
    { timeoutMs: 45_000 },
  )
  expect(place.repository.comments.find((one) => one.id === id)?.reactions).toMatchObject([
    { content: 'eyes' },
  ])
  const [pull] = place.repository.pulls
  expect(await git(place.bare, 'show', `${pull?.head}:fix.txt`)).toBe('repaired')
  // The token of the push was for contents alone, and is of no use any more.
  const token = place.github.world.tokens.find(
    (one) => Object.keys(one.permissions).length === 2 && one.permissions.contents === 'write',
  )
  await eventually(() => expect(token).toMatchObject({ revoked: true, repositoryIds: [place.repository.id] }))
})

test('with the runner killed in the middle of its push there is one branch and one pull request', {
  timeout: 90_000,
}, async () => {
  await using place = await openPlace()
  const { home } = await place.makeHome('home', place.relay.url, policyFor(place.folder))
  let kills = 0
  let runner = startRunnerProcess(home)
  const due = new Set(['GET', 'POST'])
  place.github.weather.add({
    kind: 'delay',
    times: 2,
    match: (method, path) => path.includes('.git/') && due.delete(method),
    onHit: () => {
      kills += 1
      process.kill(runner.pid, 'SIGKILL')
    },
  })
  await place.comment('/fix please')
  for (const count of [1, 2]) {
    await eventually(() => expect(kills).toBeGreaterThanOrEqual(count), { timeoutMs: 30_000 })
    // The second request may be that of the git which the first runner left behind, and no runner was killed then.
    await runner.kill('SIGKILL')
    runner = startRunnerProcess(home)
  }
  await eventually(
    () => {
      expect(place.repository.pulls).toHaveLength(1)
      expect(place.repository.checks).toMatchObject([{ status: 'completed' }])
      expect(place.own()).toHaveLength(1)
    },
    { timeoutMs: 45_000 },
  )
  expect((await git(place.bare, 'branch', '--list', 'baton/*')).split('\n')).toHaveLength(1)
  await runner[Symbol.asyncDispose]()
})

test('a proxy that the agent writes into the repository gets no token, and work of others is not pushed over', {
  timeout: 60_000,
}, async () => {
  await using place = await openPlace()
  await git(place.clone, 'config', 'http.proxy', 'http://127.0.0.1:9')
  await git(place.clone, 'config', `url.http://127.0.0.1:9/.insteadOf`, `${place.github.url}/`)
  await mkdir(join(place.clone, '.git/hooks'), { recursive: true })
  await writeFile(join(place.clone, '.git/hooks/pre-push'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  const { home } = await place.makeHome('home', place.relay.url, policyFor(place.folder))
  await using runner = await startRunner(home)
  expect(runner.pid).toBeGreaterThan(0)
  await place.comment('/fix please')
  await eventually(() => expect(place.repository.pulls).toHaveLength(1), { timeoutMs: 45_000 })
})

test('an App is connected, looked at, listened to and removed from the command line', {
  timeout: 60_000,
}, async () => {
  await using place = await openPlace()
  const env = {
    ...process.env,
    BATON_HOME: join(place.folder, 'cli'),
    BATON_URL: place.relay.url,
    BATON_TOKEN: place.token,
  }
  const baton = async (...args: string[]) => {
    const { stdout } = await run(process.execPath, [entryFile, ...args, '--json'], { env })
    return JSON.parse(stdout) as never
  }
  expect(await baton('integration', 'github', 'list')).toMatchObject({ items: [{ slug: 'baton-test' }] })
  expect(await baton('integration', 'github', 'repos')).toMatchObject({
    items: [{ account: 'ada', repositories: [{ fullName: 'acme/shop' }] }],
  })
  expect(await baton('integration', 'github', 'redeliver')).toMatchObject({ reconciliation: { missing: 0 } })
  const made = await baton(
    ...[
      'job',
      'create',
      'watch',
      '--agent',
      'demo',
      '--prompt',
      'x',
      '--on',
      'github:push',
      '--repo',
      'acme/*',
    ],
    ...['--branch', 'main', '--changed', 'src/**', '--tell', 'check'],
  )
  expect(made).toMatchObject({
    job: { triggers: [{ kind: 'github', event: 'push', branches: ['main'], paths: ['src/**'] }] },
  })
  const setup = (await baton('integration', 'github', 'setup', '--url', place.github.url)) as { url: string }
  expect((await fetch(setup.url)).status).toBe(200)
  const doctor = await run(process.execPath, [entryFile, 'integration', 'github', 'doctor'], { env }).catch(
    (error: { code: number; stdout: string }) => error,
  )
  // The stand-in's App was made without events, and says so.
  expect(doctor).toMatchObject({ code: 1, stdout: expect.stringContaining('It does not get push') })
  expect(await baton('integration', 'github', 'remove', 'baton-test', '--yes')).toMatchObject({
    id: expect.stringMatching(/^gha_/),
  })
  expect(await baton('integration', 'github', 'list')).toEqual({ items: [] })
})
