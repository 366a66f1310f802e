import { mkdtemp, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findWorkspace, removeOldScratch } from './find-workspace.ts'
import { createWorkspaceTurns } from './workspace-turns.ts'

let folder: string
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'baton-workspace-')))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const find = (path: string | null, agentKey = 'demo') =>
  findWorkspace(
    { path, agentKey, mustWrite: true, scratchFor: null },
    { workspaces: join(folder, 'own'), home: folder },
  )

test('a folder is found by its real path, so that two names of it are one workspace', async () => {
  await symlink(folder, join(folder, 'link'))
  expect(await find(join(folder, 'link'))).toEqual({ folder, own: false })
})

test('an agent without a workspace gets a folder of its own, made when it is missing', async () => {
  expect(await find(null)).toEqual({ folder: join(folder, 'own', 'demo'), own: true })
})

test('what cannot be worked in is said with the folder, the trouble and what to do', async () => {
  await writeFile(join(folder, 'file'), '')
  for (const [path, words] of [
    [join(folder, 'missing'), /does not exist on this machine: make the folder/],
    [join(folder, 'file'), /is not a folder: give the job another one/],
    [join(folder, 'file', 'deeper'), /leads through something that is not a folder/],
    ['relative/path', /is no absolute path/],
  ] as const)
    expect(await find(path)).toEqual({ problem: expect.stringMatching(words) })
})

test('an agent key never leads out of the folder of workspaces', async () => {
  for (const key of ['../escape', '..', '/etc', 'a/b', ''])
    expect(await find(null, key)).toEqual({
      problem: expect.stringContaining('cannot be the name of a folder'),
    })
})

test('a workspace is taken by one run at a time', () => {
  const turns = createWorkspaceTurns()
  expect(turns.take('/w', 'run_1')).toBeNull()
  expect(turns.take('/w', 'run_1')).toBeNull()
  expect(turns.take('/w', 'run_2')).toBe('run_1')
  turns.leave('run_1')
  expect(turns.take('/w', 'run_2')).toBeNull()
})

test('a scratch workspace is a new folder for each run, and goes when nothing touched it for a week', async () => {
  const folders = { workspaces: join(folder, 'own'), home: folder }
  const wanted = { path: null, agentKey: 'demo', mustWrite: true }
  const one = await findWorkspace({ ...wanted, scratchFor: 'run_1' }, folders)
  const other = await findWorkspace({ ...wanted, scratchFor: 'run_2' }, folders)
  if ('problem' in one || 'problem' in other) throw new Error('no folder')
  expect(one.folder).not.toBe(other.folder)
  await removeOldScratch(folders.workspaces, Date.now())
  expect((await stat(one.folder)).isDirectory()).toBe(true)
  await removeOldScratch(folders.workspaces, Date.now() + 8 * 86_400_000)
  await expect(stat(one.folder)).rejects.toThrow(/ENOENT/)
})

test('~ is the home folder of the user that the runner runs as', async () => {
  expect(await find('~')).toEqual({ folder, own: false })
})
