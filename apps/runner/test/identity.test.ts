import { readFileSync } from 'node:fs'
import { stat, writeFile } from 'node:fs/promises'
import { eventually } from '@baton/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeMachineKey } from '../src/config/profile.ts'
import { readStatus, startRunnerProcess } from './support/runner-process.ts'
import { createTestPlace, type TestPlace } from './support/test-place.ts'

let place: TestPlace

beforeAll(async () => {
  place = await createTestPlace()
}, 60_000)
afterAll(() => place?.[Symbol.asyncDispose]())

test('of two computers with one key the second is told so and ends; with --takeover it is the first that ends', async () => {
  const one = await place.makeHome('one')
  const two = await place.makeHome('two')
  await using first = startRunnerProcess(one.home)
  await first.ready
  const refused = await startRunnerProcess(two.home).exited
  expect(refused.code).toBe(6)
  expect(refused.said).toMatch(/Another runner .* uses this machine key/)
  await using second = startRunnerProcess(two.home, { args: ['--takeover'] })
  await second.ready
  expect(await first.exited).toMatchObject({ code: 6 })
  const id = await place.run('@demo ok')
  expect(await place.untilFinished(id)).toMatchObject({ state: 'succeeded' })
}, 60_000)

test('a second runner of the same profile is refused and told which process is the first', async () => {
  const { home, paths } = await place.makeHome('twice')
  await using first = startRunnerProcess(home, { args: ['--takeover'] })
  await first.ready
  const refused = await startRunnerProcess(home).exited
  expect(refused.code).toBe(6)
  expect(refused.said).toContain(`process ${first.pid}`)
  await eventually(async () =>
    expect(await readStatus(paths)).toMatchObject({
      pid: first.pid,
      connection: { state: 'online', via: 'websocket' },
    }),
  )
}, 60_000)

test('the machine key is on no argv, in no environment of an agent and in no log', async () => {
  const { home, paths } = await place.makeHome('quiet')
  await using runner = startRunnerProcess(home, { args: ['--takeover'] })
  await runner.ready
  const id = await place.run('@demo hang')
  const { pid } = await place.untilAgent(paths, id)
  const key = readFileSync(paths.keyFile, 'utf8').trim()
  for (const file of [
    `/proc/${pid}/environ`,
    `/proc/${pid}/cmdline`,
    `/proc/${runner.pid}/cmdline`,
    paths.logFile,
  ])
    expect(readFileSync(file, 'latin1'), file).not.toContain(key)
  for (const file of [paths.keyFile, paths.journalFile, paths.logFile, paths.statusFile])
    expect((await stat(file)).mode & 0o077, file).toBe(0)
  expect((await stat(paths.stateFolder)).mode & 0o077).toBe(0)
  await place.api.runs.cancel.mutate({ id })
  await place.untilFinished(id)
}, 60_000)

test('every problem of a broken configuration is a line of its own', async () => {
  const { home, paths } = await place.makeHome('broken')
  await writeFile(paths.policyFile, '{"folders":["work"],"runtimes":[],"permissionModes":[],"folder":[]}')
  await writeFile(paths.profileFile, '{"url":"ftp://relay","machineId":"x"}')
  const { code, said } = await startRunnerProcess(home).exited
  expect(code).toBe(2)
  for (const words of ['url', 'machineId', 'machineName']) expect(said).toContain(words)
}, 60_000)

test('a key that is rotated works without a restart, and one that is revoked ends the runner within five seconds', async () => {
  const { home, paths } = await place.makeHome('rotated')
  await using runner = startRunnerProcess(home, { args: ['--takeover'] })
  await runner.ready
  const { key } = await place.api.machines.rotateKey.mutate({ id: place.machineId })
  await writeMachineKey(paths, key)
  await place.relay.stop()
  await place.relay.start()
  expect(await place.untilFinished(await place.run('@demo ok'))).toMatchObject({ state: 'succeeded' })
  const askedAt = performance.now()
  await place.api.machines.revoke.mutate({ id: place.machineId })
  const { code, said } = await runner.exited
  expect(performance.now() - askedAt).toBeLessThan(5_000)
  expect(code).toBe(4)
  expect(said).toContain('revoked')
}, 60_000)
