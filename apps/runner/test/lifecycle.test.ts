import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Baton } from '@baton/sdk'
import { eventually, startTestRelay, type TestRelay } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exportOrganization } from '../src/cli/export-organization.ts'
import { importOrganization } from '../src/cli/import-organization.ts'
import { verifyExport } from '../src/cli/verify-export.ts'
import { failingAfter } from './support/failing-after.ts'
import { postWebhook } from './support/post-webhook.ts'
import { workOff } from './support/work-off.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

let folder: string
let from: TestRelay
let fromToken: string
let baton: Baton
const runIds: string[] = []
let hook: { url: string; secret: string }

/** A relay with finished runs of every length, an event that fired nothing, one with a long body, and work that waits. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-lifecycle-'))
  from = await startTestRelay()
  const made = await from.setup<{ token: string; machineKey: string }>({
    machineName: 'laptop',
    wantMachineKey: true,
    wantToken: true,
    agents: [{ key: 'demo', runtime: 'command', command: 'demo', workspace: 'scratch' }],
  })
  fromToken = made.token
  baton = new Baton({ url: from.url, token: fromToken })
  await baton.organization.update({ name: 'Old place', retention: { runs: 250 } })
  const { job, secrets } = await baton.jobs.create({
    key: 'review',
    agent: 'demo',
    prompt: 'Look at {{ payload.ref }}',
    triggers: [{ kind: 'webhook', scheme: 'github' }],
    outputs: [{ kind: 'log' }],
  })
  if (!secrets[0]) throw new Error('The job was made without its webhook.')
  hook = secrets[0]
  const careful = '---\nname: careful\ndescription: Look twice, and then again.\n---\nLook twice.\n'
  await baton.skills.add('demo', 'careful', careful)
  await baton.skills.add('demo', 'brave', careful.replace('careful', 'brave'))
  await baton.jobs.update(job.id, { retention: { days: 99 } })
  await baton.jobs.create({ key: 'old', agent: 'demo', prompt: 'x' })
  await baton.jobs.delete('old')

  const long = JSON.stringify({ ref: 'main', text: 'ü'.repeat(1_300_000) })
  expect(await post(long)).toBe(202)
  for (let index = 0; index < 4; index++)
    await baton.runs.create({ agent: 'demo', prompt: `work ${index} 🌹`, conversation: `talk ${index}` })
  runIds.push(...(await workOff(from.url, made.machineKey, 5)))
  await eventually(async () => {
    for await (const dispatch of baton.dispatches.list()) return expect(dispatch.state).toBe('sent')
    throw new Error('Nothing was dispatched yet.')
  })
  await baton.jobs.disable('review')
  expect(await post('{"ref":"ignored"}')).toBe(202)
  await baton.runs.create({ agent: 'demo', prompt: 'nobody does this yet' })
}, 60_000)

afterAll(async () => {
  await baton?.close()
  await from?.[Symbol.asyncDispose]()
  if (folder) await rm(folder, { recursive: true, force: true })
})

const post = (body: string) => postWebhook(hook.url, hook.secret, body)

/** One command line in a process of its own, as a person types it. */
async function command(url: string, token: string, ...words: string[]) {
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      BATON_HOME: join(folder, 'home'),
      BATON_URL: url,
      BATON_TOKEN: token,
      NO_COLOR: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const [code] = await once(child, 'close')
  return { code: code as number, out, err }
}
const cli = (...words: string[]) => command(from.url, fromToken, ...words)
const NOWHERE = 'http://127.0.0.1:1'

async function startEmptyRelay(): Promise<{ relay: TestRelay; token: string }> {
  const relay = await startTestRelay()
  const { token } = await relay.setup<{ token: string }>({ wantToken: true })
  return { relay, token }
}

async function filesOf(path: string): Promise<Record<string, string>> {
  const names = (await readdir(path)).sort()
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(path, name), 'utf8')])),
  )
}

test('a transcript that was exported is verified without a relay', async () => {
  const file = join(folder, 'run.ndjson')
  const exported = await cli('runs', 'export', runIds[3] ?? '', '-o', file)
  expect(exported).toMatchObject({ code: 0, out: `${file}\n` })
  expect(exported.err).toContain('Complete, 9 of 9, hash ')
  const verified = await command(NOWHERE, 'bt_none', 'runs', 'verify', file)
  expect(verified).toMatchObject({ code: 0, err: '' })
  expect(verified.out).toContain(`✓ ${runIds[3]}  Complete, 9 of 9, hash `)
  const text = await readFile(file, 'utf8')
  expect((await cli('runs', 'export', runIds[3] ?? '')).out).toBe(text)
  expect((await cli('runs', 'verify', runIds[3] ?? '')).code).toBe(0)

  await writeFile(file, text.replace('line 4', 'line 5'))
  const changed = await command(NOWHERE, 'bt_none', 'runs', 'verify', file, '--json')
  expect(changed.code).toBe(8)
  expect(JSON.parse(changed.out).transcripts[0]).toMatchObject({ complete: false, problems: [{ line: 6 }] })
  await writeFile(file, text.split('\n').slice(0, 6).join('\n'))
  const cut = await command(NOWHERE, 'bt_none', 'runs', 'verify', file)
  expect(cut.code).toBe(8)
  expect(cut.out).toContain('Missing: 5 to 9')
  expect((await command(NOWHERE, 'bt_none', 'runs', 'verify', join(folder, 'none'))).code).toBe(3)
})

test('a transcript of 6 MB is exported whole, and one that was never begun says so', async () => {
  const file = join(folder, 'long.ndjson')
  expect((await cli('runs', 'export', runIds[4] ?? '', '-o', file)).code).toBe(0)
  expect((await cli('runs', 'verify', file)).out).toContain('Complete, 100 of 100')
  const [waiting] = (await baton.raw.runs.list.query({ status: ['queued', 'asleep'] })).items
  const verified = await cli('runs', 'verify', waiting?.id ?? '')
  expect(verified.code).toBe(8)
  expect(verified.out).toContain('had not ended')
})

test('stages and retention are shown and changed on the command line', async () => {
  const stages = await cli('stages', '--machine', 'laptop')
  expect(stages).toMatchObject({ code: 0, err: '' })
  expect(stages.out).toMatch(/^laptop, 5 runs since /)
  expect(stages.out).toMatch(/stored → leased +5 +\d/)
  expect(JSON.parse((await cli('stages', '--job', 'review', '--json')).out)).toMatchObject({ runs: 1 })
  expect((await cli('stages', '--machine', 'none')).code).toBe(3)
  expect((await cli('retention')).out).toContain('newest 250 runs, and none longer than 30 days')
  expect((await cli('retention', '--job', 'review', '--runs', '7')).out).toContain(
    'newest 7 runs, and none longer than 99 days',
  )
  expect((await cli('retention', '--job', 'review', '--runs', 'default')).out).toContain('newest 250 runs')
  expect((await cli('retention', '--days', '0')).code).toBe(2)
})

test('what was exported, imported elsewhere and exported again is the same to the byte', async () => {
  const first = join(folder, 'first')
  const exported = await cli('export', '--out', first)
  expect(exported).toMatchObject({ code: 0 })
  expect(exported.err).toContain('1 delivery had not finished')
  const files = await filesOf(first)
  expect(Object.keys(files)).toHaveLength(16)
  const lines = (name: string) => files[`${name}.ndjson`]?.split('\n').length
  expect(['skills', 'sessions', 'usage'].map(lines)).toEqual([3, 5, 4])
  const all = Object.values(files).join('\n')
  expect(all).not.toContain(hook.secret)
  expect(all).not.toContain('nobody does this yet')
  expect((await cli('export', '--out', first)).code).toBe(6)
  expect((await command(NOWHERE, 'bt_none', 'import', first, '--verify-only')).code).toBe(0)
  expect((await command(NOWHERE, 'bt_none', 'runs', 'verify', join(first, 'transcripts.ndjson'))).code).toBe(
    0,
  )

  const { relay, token } = await startEmptyRelay()
  await using _relay = relay
  await using there = new Baton({ url: relay.url, token })
  expect((await command(relay.url, token, 'import', first, '--organization', 'other')).code).toBe(6)
  const imported = await command(relay.url, token, 'import', first, '--organization', 'default')
  expect(imported).toMatchObject({ code: 0 })
  expect(imported.err).toContain('baton machine rotate-key laptop')
  expect(imported.err).toContain('baton job rotate-secret review')

  const second = join(folder, 'second')
  expect((await command(relay.url, token, 'export', '--out', second)).code).toBe(0)
  const again = await filesOf(second)
  for (const [name, text] of Object.entries(files)) {
    if (name !== 'manifest.json') expect(again[name] === text, name).toBe(true)
  }
  const stable = (text = '{}') => ({ ...JSON.parse(text), until: '', sha256: '', unfinished: 0 })
  expect(stable(again['manifest.json'])).toEqual(stable(files['manifest.json']))

  const repeated = await command(relay.url, token, 'import', first)
  expect(repeated).toMatchObject({ code: 0, out: 'All of this is here already. Nothing was changed.\n' })
  for (const id of runIds) {
    const [before, after] = await Promise.all([baton.runs.get(id), there.runs.get(id)])
    const fixed = { machine: { ...before.machine, state: 'offline' }, requestedWorkspace: 'scratch' }
    expect({ ...after, ...fixed }).toEqual({ ...before, ...fixed })
    expect(after.transcript.complete).toBe(true)
  }
  expect((await there.jobs.get('review')).retention).toEqual({ runs: null, days: 99 })
  expect((await there.organization.get()).retention).toEqual({ runs: 250, days: 30 })
  expect(await there.sessions.list()).toEqual(await baton.sessions.list())
  expect(await there.usage.sum()).toEqual(await baton.usage.sum())
  expect(await there.skills.list('demo')).toEqual(await baton.skills.list('demo'))
  await there.jobs.enable('review')
  const path = new URL(hook.url).pathname
  const send = (secret: string) => postWebhook(`${relay.url}${path}`, secret, '{"ref":"main"}')
  expect(await send(hook.secret)).toBe(401)
  expect(await send('')).toBe(401)
  const trigger = (await there.jobs.get('review')).triggers[0]
  const { secret } = await there.jobs.rotateSecret(trigger?.id ?? '')
  expect(await send(secret)).toBe(202)
}, 120_000)

test('a byte that is not as it was written is refused before anything is sent', async () => {
  const whole = join(folder, 'whole')
  await exportOrganization(baton, whole)
  const { relay, token } = await startEmptyRelay()
  await using _relay = relay
  const names = await readdir(whole)
  let flips = 0
  for (const name of names) {
    const bytes = await readFile(join(whole, name))
    for (const share of [0, 0.3, 0.7, 1]) {
      const copy = join(folder, 'changed')
      await cp(whole, copy, { recursive: true })
      const at = Math.floor((bytes.length - 1) * share)
      const changed = bytes.length === 0 ? Buffer.from('x') : Buffer.from(bytes)
      if (bytes.length > 0) changed[at] = (changed[at] ?? 0) ^ 4
      await writeFile(join(copy, name), changed)
      const found = await verifyExport(copy).then(
        (verdict) => !verdict.ok,
        () => true,
      )
      expect(found, `${name} at ${at}`).toBe(true)
      flips += 1
      if (share === 0.7) {
        const refused = await command(relay.url, token, 'import', copy)
        expect([2, 8], `${name} at ${at}`).toContain(refused.code)
      }
      await rm(copy, { recursive: true })
    }
  }
  expect(flips).toBe(4 * names.length)
  await using there = new Baton({ url: relay.url, token })
  expect(await there.machines.list()).toEqual([])
  expect((await there.organization.get()).name).toBe('default')
}, 120_000)

test('an export that is cut after any page goes on and becomes the same', async () => {
  const whole = join(folder, 'uncut')
  await exportOrganization(baton, whole)
  const target = join(folder, 'cut')
  let cuts = 0
  for (;;) {
    try {
      const { resumed } = await exportOrganization(failingAfter(baton, 4), target)
      expect(resumed).toBe(true)
      break
    } catch (error) {
      expect((error as Error).message).toBe('cut')
      cuts += 1
      expect(cuts).toBeLessThan(50)
    }
  }
  expect(cuts).toBeGreaterThan(3)
  const [expected, got] = await Promise.all([filesOf(whole), filesOf(target)])
  expect(Object.keys(got)).toEqual(Object.keys(expected))
  for (const name of Object.keys(expected)) {
    if (name !== 'manifest.json') expect(got[name] === expected[name], name).toBe(true)
  }
  expect((await verifyExport(target)).ok).toBe(true)
}, 60_000)

test('an import that is cut after any call goes on, and nothing of it is there twice', async () => {
  const whole = join(folder, 'to-cut')
  await exportOrganization(baton, whole)
  const { manifest, runEvents } = await verifyExport(whole)
  const { relay, token } = await startEmptyRelay()
  await using _relay = relay
  await using there = new Baton({ url: relay.url, token })
  let cuts = 0
  for (let budget = 1; ; budget++) {
    try {
      expect(await importOrganization(failingAfter(there, budget), whole, manifest, runEvents)).toBe(
        'imported',
      )
      break
    } catch (error) {
      expect((error as Error).message).toBe('cut')
      cuts += 1
      expect(cuts).toBeLessThan(60)
    }
  }
  expect(cuts).toBeGreaterThan(10)
  const after = join(folder, 'after-cuts')
  await exportOrganization(there, after)
  const [expected, got] = await Promise.all([filesOf(whole), filesOf(after)])
  for (const name of Object.keys(expected)) {
    if (name !== 'manifest.json') expect(got[name] === expected[name], name).toBe(true)
  }
}, 60_000)
