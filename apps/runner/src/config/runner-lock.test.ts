import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ProfilePaths, profilePaths } from './paths.ts'
import { makePrivateFolder } from './private-file.ts'
import { lockRunner } from './runner-lock.ts'

let home: string
let paths: ProfilePaths
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'baton-lock-'))
  paths = profilePaths({ config: home, state: home, data: home, cache: home }, 'default')
  await makePrivateFolder(paths.stateFolder)
})
afterEach(() => rm(home, { recursive: true, force: true }))

test('a second runner of a profile is refused and told which process is the first', async () => {
  const lock = await lockRunner(paths)
  await expect(lockRunner(paths)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(`process ${process.pid}`),
  })
  await lock.release()
  const again = await lockRunner(paths)
  expect(again.tookOver).toBe(false)
})

test('of twenty runners that start at once on a stale lock exactly one wins', async () => {
  await writeFile(paths.lockFile, JSON.stringify({ pid: process.pid, startTime: 'of another process' }))
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockRunner(paths)))
  const won = tries.filter((one) => one.status === 'fulfilled')
  expect(won).toHaveLength(1)
  expect(won[0]?.value.tookOver).toBe(true)
})

test('a lock that holds no process is taken over', async () => {
  await writeFile(paths.lockFile, '')
  const lock = await lockRunner(paths)
  expect(lock.tookOver).toBe(true)
  expect(JSON.parse(await readFile(paths.lockFile, 'utf8'))).toMatchObject({ pid: process.pid })
})
