import { createTestDatabase, eventually } from '@baton/testkit'
import { expect, test } from 'vitest'
import { freePort, openHome } from './support/open-home.ts'
import { runBaton } from './support/run-command.ts'
import { listProcesses, startDev } from './support/start-dev.ts'

test('from nothing, one command proves the whole path and leaves no process behind', async () => {
  await using home = await openHome()
  const { code, stdout, stderr } = await runBaton(['dev', '--proof', '--json'], home)
  expect(code, stderr).toBe(0)
  const { ok, url, database, agents, proof } = JSON.parse(stdout)
  expect({ ok, url, database: database.kind }).toEqual({
    ok: true,
    url: `http://127.0.0.1:${home.port}`,
    database: 'embedded',
  })
  expect(agents.map((agent: { key: string }) => agent.key)).toContain('demo')
  expect(proof.stages.map((stage: { name: string }) => stage.name)).toEqual([
    'accepted',
    'leased',
    'on disk',
    'started',
    'first output',
    'finished',
  ])
  expect(proof.stages.every((stage: { ms: number | null }) => typeof stage.ms === 'number')).toBe(true)
  expect(proof.transcript).toMatchObject({ complete: true, missing: [] })
  expect(proof.transcript.hash).toBe(proof.transcript.expectedHash)
  await eventually(async () => expect(await listProcesses(home)).toEqual([]))
})

test('Ctrl-C stops everything, keeps the data and ends with 0; the next start is quick and has it all', async () => {
  await using home = await openHome()
  const first = await startDev(home)
  const { id } = await first.baton.runs.create({ agent: 'demo', prompt: '@demo ok' })
  await first.baton.runs.open(id).result()
  expect(await first.stop()).toBe(0)
  expect(first.stderr()).not.toContain('starting it again')
  await eventually(async () => expect(await listProcesses(home)).toEqual([]))
  await first.baton.close()
  const startedAt = performance.now()
  await using second = await startDev(home)
  expect(performance.now() - startedAt).toBeLessThan(8_000)
  expect((await second.baton.runs.get(id)).status).toBe('done')
})

test('with --reset the next start begins with an empty database', async () => {
  await using home = await openHome()
  const prove = async (...args: string[]) => {
    const { code, stdout, stderr } = await runBaton(['dev', '--proof', '--json', ...args], home)
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout).agents[0].id as string
  }
  const first = await prove()
  expect(await prove()).toBe(first)
  expect(await prove('--reset', '--yes')).not.toBe(first)
})

test('with DATABASE_URL that database is used and none is started', async () => {
  await using database = await createTestDatabase()
  await using home = await openHome({ DATABASE_URL: database.url })
  const { code, stdout, stderr } = await runBaton(['dev', '--proof', '--json'], home)
  expect(code, stderr).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, database: { kind: 'external' } })
  expect(stdout).not.toContain(new URL(database.url).password)
})

test('a database that cannot be reached is one clear sentence and exit code 1', async () => {
  await using home = await openHome({ DATABASE_URL: `postgres://x:y@127.0.0.1:${await freePort()}/none` })
  const { code, stdout, stderr } = await runBaton(['dev', '--proof'], home)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('Check DATABASE_URL and that the server runs.')
})

test('a second start says who runs already and where, and ends with 6', async () => {
  await using dev = await startDev()
  const { code, stdout, stderr } = await dev.command(['dev', '--no-open'])
  expect({ code, stdout }).toEqual({ code: 6, stdout: '' })
  expect(stderr).toContain(`Baton runs here already: ${dev.url}`)
})

test('a port that another program has is one clear sentence and exit code 1', async () => {
  await using dev = await startDev()
  await using other = await openHome({ BATON_PORT: String(dev.home.port) })
  const { code, stderr } = await runBaton(['dev', '--proof'], other)
  expect(code).toBe(1)
  expect(stderr).toContain(`another program listens on port ${dev.home.port}`)
  expect(await listProcesses(other)).toEqual([])
})

test('kill -9 of everything at once leaves no orphan, and the next start works', async () => {
  await using home = await openHome()
  const dev = await startDev(home)
  const run = await dev.baton.runs.create({ agent: 'demo', prompt: '@demo hang' })
  for await (const event of run.events()) if (event.type === 'started') break
  await dev.baton.close()
  process.kill(dev.pid, 'SIGKILL')
  await eventually(async () => expect(await listProcesses(home)).toEqual([]), { timeoutMs: 20_000 })
  await using next = await startDev(home)
  expect((await next.baton.machines.list()).map((machine) => machine.state)).toEqual(['online'])
})
