/* oxlint-disable no-control-regex */
import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { eventually } from '@baton/testkit'
import { expect, test } from 'vitest'
import { freePort } from './support/open-home.ts'
import { runBaton } from './support/run-command.ts'
import { serveStranger } from './support/serve-stranger.ts'
import { withDev } from './support/with-dev.ts'

const { dev, data, failure } = withDev()

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

test('a cancel from the command line waits until the run has ended', async () => {
  const { runId } = await data('run', '@demo hang', '--agent', 'demo', '--detach')
  await eventually(async () => expect((await data('runs', 'show', runId)).status).toBe('running'))
  expect(await data('runs', 'cancel', runId, '--reason', 'test')).toMatchObject({ status: 'stopped' })
  expect((await dev.command(['logs', runId, '-f'])).code).toBe(9)
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
