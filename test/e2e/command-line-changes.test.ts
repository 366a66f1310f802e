import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '@baton/testkit'
import { expect, test } from 'vitest'
import { openHome } from './support/open-home.ts'
import { runBaton } from './support/run-command.ts'
import { runShell } from './support/run-shell.ts'
import { withDev } from './support/with-dev.ts'

const { dev, data, failure } = withDev()

test('a drained machine lets its work wait until it is resumed, and a command can wait for the end of a run', async () => {
  const { name } = (await data('machine', 'list')).items[0]
  expect(await data('machine', 'drain', name)).toMatchObject({ state: 'draining' })
  const { runId } = await data('run', '@demo fail 3', '--agent', 'demo', '--priority', '7', '--detach')
  const { conditions } = await data('why', runId)
  expect(conditions).toMatchObject([{ code: 'machine_draining', command: `baton machine resume ${name}` }])
  expect((await dev.command(['machine', 'list'])).stdout).toMatch(/draining .*takes no new work/)
  expect((await dev.command(['status'])).stdout).toContain(`baton machine resume ${name}`)
  expect(await failure(['runs', 'wait', runId, '--timeout', '1'])).toMatchObject({
    code: 124,
    error: 'timeout',
  })
  expect(await data('machine', 'resume', name)).toMatchObject({ state: 'online' })
  const waited = await dev.command(['runs', 'wait', runId, '--json'])
  expect(waited.code).toBe(8)
  expect(JSON.parse(waited.stdout)).toMatchObject({ id: runId, status: 'failed' })
})

test('an agent is made from a script, and a job with a webhook fires it', async () => {
  const script = join(dev.home.folder, 'user', 'hello.sh')
  await writeFile(script, '#!/bin/sh\ncat\necho\necho "hello from $BATON_JOB"\n')
  await chmod(script, 0o755)
  expect(await data('agent', 'create', 'hello', '--runtime', 'command', '--command', script)).toMatchObject({
    key: 'hello',
    command: 'hello',
  })
  const created = await data(
    'job',
    'create',
    'greet',
    '--agent',
    'hello',
    '--prompt',
    'Greet {{ payload.name }}',
    '--hook',
    'baton',
  )
  expect(created.secrets[0]).toMatchObject({
    scheme: 'baton',
    url: expect.stringContaining(`${dev.url}/hooks/`),
  })
  const fired = await dev.command(['job', 'run', 'greet', '--payload', '{"name":"Ada"}', '-f'])
  expect(fired.code, fired.stderr).toBe(0)
  expect(fired.stdout).toContain('Greet Ada')
  expect(fired.stdout).toContain('hello from greet')
  const [event] = (await data('event', 'list', '--job', 'greet')).items
  expect(JSON.parse((await data('event', 'show', event.id)).body)).toEqual({ name: 'Ada' })
  const { deliveries } = await data('event', 'replay', event.id)
  const again = await data('runs', 'again', deliveries[0].runId)
  expect(again.runId).toMatch(/^run_/)
  await eventually(async () => expect((await data('runs', 'show', again.runId)).status).toBe('done'))
  expect(await data('job', 'disable', 'greet')).toMatchObject({ enabled: false })
  expect(await data('job', 'enable', 'greet')).toMatchObject({ enabled: true })
  expect((await data('job', 'rotate-secret', 'greet', '--yes')).secret).toMatch(/\S/)
  expect(await data('agent', 'pause', 'hello')).toMatchObject({ state: 'paused' })
  expect(await data('agent', 'resume', 'hello')).toMatchObject({ key: 'hello' })
  expect(await data('job', 'delete', 'greet', '--yes')).toMatchObject({ deleted: true })
  expect(await data('agent', 'archive', 'hello', '--yes')).toMatchObject({ state: 'archived' })
})

test('the printed shell lines really send a request that is taken', async () => {
  for (const scheme of ['baton', 'github', 'standard']) {
    const { stdout } = await dev.command([
      'job',
      'create',
      `curl-${scheme}`,
      '--agent',
      'demo',
      '--prompt',
      '@demo ok',
      '--hook',
      scheme,
    ])
    const lines = stdout.slice(stdout.indexOf('Try it:') + 'Try it:'.length)
    expect(JSON.parse(await runShell(lines)), scheme).toMatchObject({
      deliveries: [expect.stringMatching(/^dlv_/)],
    })
  }
})

test('a job is changed where something was given, and nowhere else', async () => {
  await data(
    'job',
    'create',
    'changing',
    '--agent',
    'demo',
    '--prompt',
    'one',
    '--priority',
    '3',
    '--cwd',
    '/tmp',
  )
  const changed = await data(
    'job',
    'update',
    'changing',
    '--prompt',
    'two',
    '--overlap',
    'skip',
    '--cwd',
    'none',
  )
  expect(changed).toMatchObject({
    prompt: 'two',
    name: 'changing',
    workspace: null,
    agent: { key: 'demo' },
    rules: { priority: 3, overlap: 'skip' },
  })
  expect(await failure(['job', 'update', 'changing'])).toMatchObject({ code: 2 })
  expect(await failure(['job', 'update', 'nothing', '--name', 'x'])).toMatchObject({ code: 3 })
})

test('a machine is added, renamed, gets a new key and is revoked; tokens are made and revoked', async () => {
  const { machine, key } = await data('machine', 'add', 'box')
  expect(key).toMatch(/^sk_machine_/)
  expect(await data('machine', 'rename', 'box', 'big-box')).toMatchObject({ name: 'big-box' })
  expect((await data('machine', 'rotate-key', 'big-box', '--yes')).key).not.toBe(key)
  expect(await data('machine', 'revoke', machine.id, '--yes')).toMatchObject({ state: 'revoked' })
  expect(await data('machine', 'archive', machine.id, '--yes')).toMatchObject({ state: 'archived' })
  const { token, secret } = await data('token', 'create', 'ci')
  expect((await failure(['token', 'revoke', token.id])).code).toBe(2)
  await data('token', 'revoke', token.id, '--yes')
  expect(await failure(['status-of-nothing'], { BATON_TOKEN: secret })).toMatchObject({ code: 2 })
  expect(await failure(['runs', 'list'], { BATON_TOKEN: secret })).toMatchObject({
    code: 4,
    error: 'not_signed_in',
  })
})

test('a machine is connected with a key from stdin, runs work, and is stopped', async () => {
  await using home = await openHome({ BATON_URL: dev.url })
  const { key } = await data('machine', 'add', 'second')
  const up = await runBaton(['up', '--server', dev.url, '--key-stdin', '--json'], {
    env: home.env,
    input: `${key}\n`,
  })
  expect(up.code, up.stderr).toBe(0)
  const { pid } = JSON.parse(up.stdout)
  expect(await data('machine', 'show', 'second')).toMatchObject({ state: 'online' })
  const status = await runBaton(['status', '--json'], home)
  expect(status.code, 'a machine with a key and no token is whole').toBe(0)
  expect(JSON.parse(status.stdout)).toMatchObject({ problems: [], relay: { reachable: true } })
  const again = await runBaton(['up', '--json'], home)
  expect(JSON.parse(again.stdout)).toEqual({ pid, alreadyRunning: true })
  const down = await runBaton(['down', '--json'], home)
  expect(JSON.parse(down.stdout)).toMatchObject({ stopped: true, pid })
  const twice = await runBaton(['down', '--json'], home)
  expect(JSON.parse(twice.stdout)).toMatchObject({ stopped: false })
  await eventually(async () =>
    expect(await data('machine', 'show', 'second')).toMatchObject({ state: 'offline' }),
  )
  const wrong = await runBaton(['up', '--server', dev.url, '--key-stdin'], {
    env: home.env,
    input: 'sk_machine_wrong',
  })
  expect(wrong.code).toBe(4)
})

test('what a run changed is shown, undone and brought back, and its worktree is cleaned', async () => {
  const folder = join(dev.env.BATON_HOME ?? '', 'data', 'project')
  await runShell(
    `git init -q -b main '${folder}' && git -C '${folder}' -c user.email=a@b -c user.name=n commit -q --allow-empty -m first`,
  )
  const policyFile = join(dev.env.BATON_HOME ?? '', 'config/profiles/default.policy.json')
  const policy = JSON.parse(await readFile(policyFile, 'utf8'))
  await writeFile(policyFile, JSON.stringify({ ...policy, folders: [...policy.folders, folder] }))
  const write = await data('run', '@demo write kept/by-run.txt hello', '--agent', 'demo', '--cwd', folder)
  const changes = await data('runs', 'diff', write.id)
  expect(changes.files).toMatchObject([{ path: 'kept/by-run.txt', kind: 'added', insertions: 1 }])
  expect((await dev.command(['runs', 'diff', write.id])).stdout).toContain('+hello')
  expect((await dev.command(['runs', 'diff', write.id, '--name-only'])).stdout).toBe('kept/by-run.txt\n')
  expect((await failure(['runs', 'undo', write.id])).code).toBe(2)
  expect(await data('runs', 'undo', write.id, '--dry-run')).toMatchObject({ state: 'done', dryRun: true })
  expect(await data('runs', 'undo', write.id, '--yes')).toMatchObject({ files: ['kept/by-run.txt'] })
  expect((await failure(['runs', 'undo', write.id, '--yes'])).code).toBe(6)
  expect(await data('runs', 'undo', write.id, '--redo', '--yes')).toMatchObject({ state: 'done' })

  const prompt = '@demo write in-a-worktree.txt hello'
  const run = await data('run', prompt, '--agent', 'demo', '--cwd', folder, '--worktree', 'main')
  expect(run.changes).toMatchObject({ filesChanged: 1, commits: [{}] })
  expect((await data('worktree', 'list')).items).toMatchObject([{ runId: run.id, state: 'only_here' }])
  expect((await failure(['worktree', 'clean', '--force'])).code).toBe(2)
  expect((await data('worktree', 'clean')).items).toMatchObject([{ action: 'kept' }])
  expect((await data('worktree', 'clean', '--force', '--yes')).items).toMatchObject([{ action: 'removed' }])
  expect((await data('worktree', 'list')).items).toEqual([])
})
