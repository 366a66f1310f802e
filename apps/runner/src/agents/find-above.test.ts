import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findAbove } from './find-above.ts'

let home = ''
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'baton-above-'))
  await mkdir(join(home, 'shop/src/deep'), { recursive: true })
})
afterEach(() => rm(home, { recursive: true }))

test('settings of a repository are found from every folder in it, and none beyond its root', async () => {
  await writeFile(join(home, '.settings'), '')
  await mkdir(join(home, 'shop/.git'))
  await writeFile(join(home, 'shop/.git/HEAD'), 'ref: refs/heads/main\n')
  expect(findAbove(join(home, 'shop/src/deep'), '.settings')).toBeNull()
  await writeFile(join(home, 'shop/.settings'), '')
  expect(findAbove(join(home, 'shop/src/deep'), '.settings')).toBe(join(home, 'shop/.settings'))
})

test("outside of repositories a person's own settings above the folder are left alone", async () => {
  await writeFile(join(home, '.settings'), '')
  await mkdir(join(home, '.git'))
  expect(findAbove(join(home, 'shop'), '.settings')).toBeNull()
  expect(findAbove(home, '.settings')).toBe(join(home, '.settings'))
})
