import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@baton/testkit'
import { expect, test } from 'vitest'
import { keepRunning } from './keep-running.ts'
import { startChild } from './start-child.ts'

/** A small program of the given text, started as `baton dev` starts its children. */
async function openPlace() {
  const folder = await mkdtemp(join(tmpdir(), 'baton-child-'))
  const logFile = join(folder, 'child.log')
  return {
    logFile,
    start: (program: string) =>
      startChild({ name: 'part', args: ['-e', program], env: process.env, logFile, saysReady: true }),
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const ready = 'console.log("ready"); setInterval(() => {}, 1000);'

test('a part that is killed is started again, and both are said', async () => {
  await using place = await openPlace()
  const said: string[] = []
  const kept = await keepRunning(
    'part',
    () => place.start(ready),
    (line) => said.push(line),
  )
  const first = kept.pid()
  process.kill(first, 'SIGKILL')
  await eventually(() =>
    expect(said).toEqual(['The part ended by SIGKILL; starting it again.', 'The part runs again.']),
  )
  expect(kept.pid()).not.toBe(first)
  await kept.stop()
})

test('a part that does not get ready is an error with its last words', async () => {
  await using place = await openPlace()
  const failing = 'console.error("port 4127 is in use"); process.exit(3)'
  await expect(
    keepRunning(
      'part',
      () => place.start(failing),
      () => {},
    ),
  ).rejects.toThrow(/The part ended with exit code 3\. Its last words .*\n {2}port 4127 is in use/)
})

test('a part that is stopped stays stopped', async () => {
  await using place = await openPlace()
  const said: string[] = []
  const kept = await keepRunning(
    'part',
    () => place.start(ready),
    (line) => said.push(line),
  )
  await kept.stop()
  await kept.stop()
  expect(said).toEqual([])
})

test('a part lives in a process group of its own, so that Ctrl-C does not reach it', async () => {
  await using place = await openPlace()
  const child = await place.start(ready)
  const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8')
  const [, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  expect(Number(group)).toBe(child.pid)
  await child.stop()
})
