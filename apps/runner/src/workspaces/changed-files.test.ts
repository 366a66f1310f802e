import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { countChangedFiles, takeSnapshot } from './changed-files.ts'

let folder: string
const git = (...args: string[]) =>
  execFileSync('git', ['-C', folder, '-c', 'user.email=a@b.c', '-c', 'user.name=n', ...args], {
    stdio: 'pipe',
  })

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-changed-'))
  git('init', '-q')
  for (const name of ['a', 'b', 'c']) await writeFile(join(folder, name), name)
  git('add', '.')
  git('commit', '-qm', 'first')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('files that were changed, added and removed are counted, those that were dirty before are not', async () => {
  await writeFile(join(folder, 'a'), 'dirty before')
  await writeFile(join(folder, 'untracked before'), 'x')
  const before = await takeSnapshot(folder)
  expect(await countChangedFiles(folder, before)).toBe(0)
  await writeFile(join(folder, 'b'), 'changed')
  await rm(join(folder, 'c'))
  await mkdir(join(folder, 'new'))
  await writeFile(join(folder, 'new', 'file'), 'x')
  expect(await countChangedFiles(folder, before)).toBe(3)
})

test('a file that was dirty before and changed again counts, and so do committed ones', async () => {
  await writeFile(join(folder, 'a'), 'dirty before')
  const before = await takeSnapshot(folder)
  await writeFile(join(folder, 'a'), 'dirty again, longer')
  expect(await countChangedFiles(folder, before)).toBe(1)
  await writeFile(join(folder, 'b'), 'changed')
  git('add', 'b')
  git('commit', '-qm', 'second')
  expect(await countChangedFiles(folder, before)).toBe(2)
})

test('outside a repository nobody can tell', async () => {
  await rm(join(folder, '.git'), { recursive: true })
  expect(await takeSnapshot(folder)).toBeNull()
  expect(await countChangedFiles(folder, null)).toBeNull()
})

test('nothing that the repository configures is executed', async () => {
  await writeFile(join(folder, 'hook'), `#!/bin/sh\necho ran > "${folder}/ran"\n`, { mode: 0o755 })
  git('config', 'core.fsmonitor', join(folder, 'hook'))
  const snapshot = await takeSnapshot(folder)
  expect(Object.keys(snapshot?.dirty ?? {})).toEqual(['hook'])
})
