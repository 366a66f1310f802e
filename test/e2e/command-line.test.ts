/* oxlint-disable no-control-regex */
import { execFile } from 'node:child_process'
import { chmod, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { eventually } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, openHome } from './support/open-home.ts'
import { runBaton } from './support/run-command.ts'
import { runShell } from './support/run-shell.ts'
import { type RunningDev, startDev } from './support/start-dev.ts'

let dev: RunningDev
beforeAll(async () => {
  dev = await startDev()
})
afterAll(() => dev[Symbol.asyncDispose]())

/** Runs a command with --json under a pipe; stdout must be one JSON value and nothing else. */
async function data(...args: string[]) {
  const { code, stdout, stderr } = await dev.command([...args, '--json'])
  expect(code, `${args.join(' ')}: ${stderr}`).toBe(0)
  return JSON.parse(stdout)
}

/** Runs a command that must fail; gives its exit code and the one JSON error on stderr. */
async function failure(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await runBaton([...args, '--json'], { env: { ...dev.env, ...env } })
  expect(stdout).toBe('')
  const { error } = JSON.parse(stderr)
  expect(error.message).toMatch(/\S/)
  return { code, error: error.code as string, retryable: error.retryable as boolean }
}

test('every command that reads prints data only', async () => {
  const run = await data('run', '@demo ok', '--agent', 'demo')
  expect(run).toMatchObject({ status: 'done', url: `${dev.url}/runs/${run.id}` })
  expect((await data('runs', 'list')).items[0].id).toBe(run.id)
  expect((await data('runs', 'show', run.id)).id).toBe(run.id)
  expect((await data('why', run.id)).sentence).toMatch(/\S/)
  expect((await data('status')).problems).toEqual([])
  expect((await data('machine', 'list')).items).toHaveLength(1)
  expect((await data('machine', 'show', (await data('machine', 'list')).items[0].name)).state).toBe('online')
  expect((await data('agent', 'list')).items.map((one: { key: string }) => one.key)).toContain('demo')
  expect((await data('agent', 'show', 'demo')).runtime).toBe('command')
  expect((await data('agent', 'detect')).items.map((one: { runtime: string }) => one.runtime)).toContain(
    'claude',
  )
  expect((await data('job', 'list')).items.map((one: { key: string }) => one.key)).toContain('proof')
  expect((await data('job', 'show', 'proof')).enabled).toBe(true)
  expect((await data('event', 'list')).items.length).toBeGreaterThan(1)
  expect((await data('token', 'list')).items.length).toBeGreaterThan(0)
  expect((await data('doctor')).ok).toBe(true)
  expect((await data('open', run.id)).url).toBe(`${dev.url}/runs/${run.id}`)
})

test('logs with --json are one event a line, and --tail gives the last ones', async () => {
  const { id } = await data('run', '@demo lines 5 0', '--agent', 'demo')
  const all = (await dev.command(['logs', id, '--json'])).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(all.map((event) => event.seq)).toEqual(all.map((_, index) => index + 1))
  expect(all.at(-1).type).toBe('finished')
  const tail = (await dev.command(['logs', id, '--json', '--tail', '2'])).stdout.trim().split('\n')
  expect(tail.map((line) => JSON.parse(line).seq)).toEqual(all.slice(-2).map((event) => event.seq))
})

test('logs -f follows a run from its first line to its end and ends as it ended', async () => {
  const { runId } = await data('run', '@demo lines 30 50\n@demo fail', '--agent', 'demo', '--detach')
  const { code, stdout } = await dev.command(['logs', runId, '-f'])
  expect(code).toBe(8)
  expect(stdout.split('\n').filter((line) => /^line \d+$/.test(line))).toEqual(
    Array.from({ length: 30 }, (_, at) => `line ${at + 1}`),
  )
})

test('what an agent prints cannot reach the terminal as anything but text and colours', async () => {
  const { id } = await data('run', '@demo ansi', '--agent', 'demo')
  const { stdout } = await dev.command(['logs', id])
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what is looked for
  expect(stdout.replace(/\x1b\[[0-9;:]*m/g, '')).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/)
})

test('a run ends the command with its outcome', async () => {
  expect((await dev.command(['run', '@demo ok', '--agent', 'demo'])).code).toBe(0)
  const failed = await dev.command(['run', '@demo fail 3', '--agent', 'demo'])
  expect(failed.code).toBe(8)
  expect(failed.stderr).toContain('✕')
  const { code, stdout } = await dev.command(['run', '-', '--agent', 'demo'], { input: '@demo lines 2 0' })
  expect({ code, lines: stdout.match(/^line \d$/gm) }).toEqual({ code: 0, lines: ['line 1', 'line 2'] })
})

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

test('the profiles of this computer are listed with their relay, machine and runner', async () => {
  const profiles = join(dev.env.BATON_HOME ?? '', 'config/profiles')
  await writeFile(join(profiles, 'staging.json'), '{"url":"nowhere"}', { mode: 0o600 })
  try {
    const { items } = await data('profile', 'list')
    expect(items).toMatchObject([
      { profile: 'default', isChosen: true, url: dev.url, problems: [], runner: { state: 'online' } },
      { profile: 'staging', isChosen: false, url: null, machine: null, runner: null },
    ])
    expect(await dev.find('runner')).toContain(items[0].runner.pid)
    expect(items[1].problems.join()).toContain('is not an address')
    expect((await dev.command(['profile', 'list'])).stdout).toContain('does not run')
  } finally {
    await rm(join(profiles, 'staging.json'))
  }
})

test('a group of commands called without one names those that it has', async () => {
  const { code, stdout, stderr } = await dev.command(['runs', '--status', 'failed'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('Usage: baton runs')
  expect(stderr).toContain('say which: list, show, wait')
  expect(await failure(['job', 'trigger'])).toMatchObject({ code: 2, error: 'bad_input' })
})

test('an export into no ordinary folder is refused at once', async () => {
  const refused = await dev.command(['export', '--out', '/proc/baton/export'])
  expect(refused.code, refused.stdout).toBe(2)
  expect(refused.stderr).toContain('--out /proc/baton/export: no folder can be made there')
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

test('a cancel from the command line waits until the run has ended', async () => {
  const { runId } = await data('run', '@demo hang', '--agent', 'demo', '--detach')
  await eventually(async () => expect((await data('runs', 'show', runId)).status).toBe('running'))
  expect(await data('runs', 'cancel', runId, '--reason', 'test')).toMatchObject({ status: 'stopped' })
  expect((await dev.command(['logs', runId, '-f'])).code).toBe(9)
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

test('each kind of failure has its exit code, and says what to do', async () => {
  expect(await failure(['runs', 'show', 'run_00000000'])).toMatchObject({ code: 3, error: 'not_found' })
  expect(await failure(['logs', 'nonsense'])).toMatchObject({ code: 3, error: 'not_found' })
  expect(await failure(['run', 'hi', '--agent', 'nobody'])).toMatchObject({ code: 3, error: 'not_found' })
  expect(await failure(['runs', 'list'], { BATON_TOKEN: 'bt_wrong' })).toMatchObject({
    code: 4,
    error: 'not_signed_in',
  })
  expect(
    await failure(['runs', 'list'], { BATON_URL: `http://127.0.0.1:${await freePort()}` }),
  ).toMatchObject({
    code: 7,
    error: 'unavailable',
    retryable: true,
  })
  const nobody = await dev.command(['run', 'hi', '--agent', 'nobody'])
  expect(nobody.stderr).toContain('"baton agent list" shows what there is.')
  const taken = await dev.command(['agent', 'create', 'demo'])
  expect(taken.stderr).toContain('There is an agent "demo" already.')
  const nowhere = join(dev.env.BATON_HOME ?? '', 'config/profiles/default.token', 'x')
  expect(await failure(['export', '--out', nowhere])).toMatchObject({ code: 2 })
  await using stranger = await serveStranger()
  const strange = await runBaton(['runs', 'list'], { env: { ...dev.env, BATON_URL: stranger.url } })
  expect(strange.code).toBe(7)
  expect(strange.stderr).toContain('something answered 404, but not as a Baton relay does')
  const looked = await runBaton(['doctor'], { env: { ...dev.env, BATON_URL: stranger.url } })
  expect(looked.code).toBe(1)
  expect(looked.stdout).toContain('answers 404, but not as a Baton relay does')
  const refused = await runBaton(['status', '--json'], { env: { ...dev.env, BATON_TOKEN: 'bt_wrong' } })
  expect(refused.code).toBe(1)
  expect(JSON.parse(refused.stdout)).toMatchObject({ relay: { reachable: true } })
  expect(await failure(['runs', 'list', '--nope'])).toMatchObject({ code: 2, error: 'bad_input' })
  expect(await failure(['runs', 'list', '--status', 'green'])).toMatchObject({ code: 2 })
  expect(await failure(['job', 'create', 'x', '--agent', 'demo'])).toMatchObject({ code: 2 })
  expect(await failure(['job', 'delete', 'proof'])).toMatchObject({ code: 2 })
  expect(await failure(['up', '--server', dev.url])).toMatchObject({ code: 2 })
  expect(await failure(['up', '--server', dev.url, '--key-stdin'])).toMatchObject({ code: 2 })
  expect(await failure(['job', 'create', 'proof', '--agent', 'demo', '--prompt', 'x'])).toMatchObject({
    code: 6,
    error: 'conflict',
  })
})

/** Another program where a relay was expected. */
async function serveStranger() {
  const server = createServer((_, response) => {
    response.writeHead(404, { 'content-type': 'text/html' }).end('<!DOCTYPE html>\n<p>Not here')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test('help is there for a command within a group, by both ways of asking', async () => {
  const one = await dev.command(['help', 'job', 'create'])
  const other = await dev.command(['job', 'create', '--help'])
  expect(one.code, one.stderr).toBe(0)
  expect(one.stdout).toBe(other.stdout)
  expect(await failure(['help', 'job', 'nope'])).toMatchObject({ code: 2 })
})

test('Tab completes commands, options and what there is, also in a real bash', async () => {
  const words = async (...given: string[]) =>
    JSON.parse((await dev.command(['completion', '--json', 'words', '--', ...given])).stdout)
  expect(await words('job', 'tri')).toEqual(['trigger'])
  expect(await words('runs', 'list', '--stat')).toEqual(['--status'])
  expect(await words('run', 'hi', '--agent', 'd')).toEqual(['demo'])
  expect(await words('job', 'show', '')).toContain('proof')
  expect(await words('job', 'run', 'proof', '--payload', 'd')).toEqual([])
  expect(await failure(['completion', 'tcsh'])).toMatchObject({ code: 2 })
  const { stdout: script } = await dev.command(['completion', 'bash'])
  const typed = 'COMP_WORDS=(baton job sho); COMP_CWORD=2; _baton; printf "%s\\n" "$COMPREPLY"'
  const command = fileURLToPath(new URL('../../apps/runner/bin/baton.mjs', import.meta.url))
  const baton = `baton() { "${process.execPath}" "${command}" "$@"; }`
  const { stdout } = await promisify(execFile)('bash', ['-c', `${baton}\n${script}\n${typed}`], {
    env: dev.env,
  })
  expect(stdout).toBe('show\n')
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
