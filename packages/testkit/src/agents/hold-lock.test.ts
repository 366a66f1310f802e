import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { holdLock } from './hold-lock.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-lock-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('two that want the same lock hold it one after the other', async () => {
  let holders = 0
  const most: number[] = []
  const work = async () => {
    await using _ = await holdLock(join(folder, 'lock'), AbortSignal.timeout(5_000))
    most.push(++holders)
    await once(spawn(process.execPath, ['--version']), 'exit')
    holders -= 1
  }
  await Promise.all([work(), work()])
  expect(most).toEqual([1, 1])
})

test('a lock whose holder has died is taken over', async () => {
  const dead = spawn(process.execPath, ['--version'])
  await once(dead, 'exit')
  await writeFile(join(folder, 'lock'), `${dead.pid}\n`)
  await using lock = await holdLock(join(folder, 'lock'), AbortSignal.timeout(5_000))
  expect(lock).toBeDefined()
})

test('a lock that stays held is given up with its path', async () => {
  await writeFile(join(folder, 'lock'), `${process.pid}\n`)
  const wait = holdLock(join(folder, 'lock'), AbortSignal.timeout(50))
  await expect(wait).rejects.toThrow(join(folder, 'lock'))
})
