import { existsSync } from 'node:fs'
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunId } from '@baton/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runGit } from '../../../test/support/run-git.ts'
import { changesFiles, recordAfter, recordBefore } from '../changes/record-changes.ts'
import { undoInPlace } from './undo-in-place.ts'

const RUN: RunId = `run_${'0'.repeat(32)}`
let place: string
let folder: string
let kept: string
const git = (...args: string[]) => runGit(folder, ...args)
const put = (name: string, text: string) => writeFile(join(folder, name), text)
const text = (name: string) => readFile(join(folder, name), 'utf8')
const undo = (dryRun = false) => undoInPlace(kept, RUN, 'undo', dryRun)
const redo = () => undoInPlace(kept, RUN, 'redo', false)

/** Everything that a person would notice: files, index, refs, what is checked out. */
async function everything() {
  const files: Record<string, string> = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (path.includes('/.git') || entry.isDirectory()) continue
    files[path] = entry.isSymbolicLink()
      ? `-> ${await readlink(path)}`
      : `${(await stat(path)).mode.toString(8)} ${await readFile(path, 'utf8')}`
  }
  return {
    files,
    status: git('status', '--porcelain'),
    staged: git('ls-files', '-s'),
    head: git('rev-parse', 'HEAD'),
  }
}

beforeEach(async () => {
  place = await realpath(await mkdtemp(join(tmpdir(), 'baton-undo-')))
  folder = join(place, 'repo')
  kept = join(place, 'kept')
  await mkdir(folder)
  git('init', '-q', '-b', 'main')
  for (const name of ['a', 'b', 'c', 'script']) await put(name, `${name}\n`)
  await chmod(join(folder, 'script'), 0o755)
  await mkdir(join(folder, 'sub'))
  await put('sub/deep', 'deep\n')
  git('add', '.')
  git('commit', '-qm', 'first')
})
afterEach(() => rm(place, { recursive: true, force: true }))

/** A run that does all there is to do: change, add, delete, stage, commit, link and change modes. */
async function busyRun() {
  await put('dirty', 'mine\n')
  await put('a', 'mine too\n')
  git('add', 'dirty')
  await recordBefore(kept, folder)
  const before = await everything()
  await put('b', 'changed\n')
  await put('a', 'changed over mine\n')
  await rm(join(folder, 'c'))
  await rm(join(folder, 'sub'), { recursive: true })
  await mkdir(join(folder, 'new/er'), { recursive: true })
  await put('new/er/file', 'new\n')
  await symlink('/etc/hostname', join(folder, 'link'))
  await chmod(join(folder, 'script'), 0o644)
  git('add', 'b', 'link')
  git('commit', '-qm', 'by the agent')
  git('add', '-A')
  await recordAfter(kept)
  return { before, after: await everything(), tip: git('rev-parse', 'HEAD').trim() }
}

test('an undo puts files, branch and index back, and a redo brings them back again', async () => {
  const { before, after, tip } = await busyRun()
  const planned = await undo(true)
  expect(planned).toMatchObject({ state: 'done', message: expect.stringContaining('Would put back 7 files') })
  expect(await everything()).toEqual(after)
  const undone = await undo()
  expect(undone).toMatchObject({ state: 'done', blocked: [] })
  expect(undone.files).toEqual(['a', 'b', 'c', 'link', 'new/er/file', 'script', 'sub/deep'])
  expect(await everything()).toEqual(before)
  expect(existsSync(join(folder, 'new'))).toBe(false)
  expect(git('rev-parse', `refs/baton/undo/${RUN}`).trim()).toBe(tip)
  expect((await redo()).state).toBe('done')
  expect(await everything()).toEqual(after)
  expect((await undo()).state).toBe('done')
  expect(await everything()).toEqual(before)
})

test('an undo again changes nothing, and one that was cut off in the middle is finished by the next', async () => {
  const { before } = await busyRun()
  await put('b', 'b\n')
  await rm(join(folder, 'link'))
  git('update-ref', 'refs/heads/main', 'HEAD~1')
  expect((await undo()).state).toBe('done')
  expect(await everything()).toEqual(before)
  expect(await undo()).toMatchObject({ state: 'done', files: [] })
  expect(await everything()).toEqual(before)
})

test('a file that was changed, made or deleted since refuses the whole, by name', async () => {
  const { after } = await busyRun()
  await put('b', 'by a person\n')
  await rm(join(folder, 'script'))
  await put('c', 'made again\n')
  const refusal = await undo()
  expect(refusal).toMatchObject({ state: 'refused', files: [] })
  expect(refusal.blocked).toEqual([
    { path: 'b', why: 'it was changed since' },
    { path: 'c', why: 'it was made again since' },
    { path: 'script', why: 'it was deleted since' },
  ])
  expect(await text('a')).toBe('changed over mine\n')
  expect((await everything()).head).toBe(after.head)
})

test('files that the run did not touch may change as they like', async () => {
  await busyRun()
  await put('dirty', 'mine, later\n')
  await put('other', 'other\n')
  expect((await undo()).state).toBe('done')
  expect(await text('dirty')).toBe('mine, later\n')
  expect(await text('other')).toBe('other\n')
})

test('commits on top of those of the run refuse it, and so does git at work', async () => {
  await busyRun()
  await put('.git/index.lock', '')
  expect((await undo()).blocked).toEqual([expect.objectContaining({ path: '.git/index.lock' })])
  await rm(join(folder, '.git/index.lock'))
  git('commit', '-q', '--allow-empty', '-m', 'by a person')
  expect((await undo()).blocked).toEqual([{ path: 'main', why: 'the branch has other commits since' }])
})

test('a run that checked out another branch is undone onto the first', async () => {
  git('branch', 'other')
  await recordBefore(kept, folder)
  const before = await everything()
  git('checkout', '-q', 'other')
  await put('a', 'on other\n')
  git('commit', '-qam', 'on other')
  await recordAfter(kept)
  const tip = git('rev-parse', 'other').trim()
  expect((await undo()).state).toBe('done')
  expect(await everything()).toEqual(before)
  expect(git('symbolic-ref', 'HEAD').trim()).toBe('refs/heads/main')
  expect(git('rev-parse', `refs/baton/undo/${RUN}`).trim()).toBe(tip)
})

test('a link that now stands where a folder was is not followed', async () => {
  const outside = join(place, 'outside')
  await mkdir(outside)
  await recordBefore(kept, folder)
  await rm(join(folder, 'sub'), { recursive: true })
  await symlink(outside, join(folder, 'sub'))
  await recordAfter(kept)
  expect((await undo()).state).toBe('done')
  expect(await readdir(outside)).toEqual([])
  expect(await text('sub/deep')).toBe('deep\n')

  await recordBefore(kept, folder)
  await rm(join(folder, 'sub/deep'))
  await recordAfter(kept)
  await rm(join(folder, 'sub'), { recursive: true })
  await symlink(outside, join(folder, 'sub'))
  expect((await undo()).blocked).toEqual([{ path: 'sub/deep', why: 'sub is not a folder any more' }])
  expect(await readdir(outside)).toEqual([])
})

test('hooks, filters and monitors of the repository are not started by an undo', async () => {
  const ran = join(place, 'ran')
  await busyRun()
  await writeFile(join(place, 'trap'), `#!/bin/sh\necho ran >> "${ran}"\ncat\n`, { mode: 0o755 })
  for (const hook of ['reference-transaction', 'post-index-change', 'post-checkout', 'pre-commit'])
    await writeFile(join(folder, '.git/hooks', hook), `#!/bin/sh\necho ${hook} >> "${ran}"\n`, {
      mode: 0o755,
    })
  git('config', 'core.fsmonitor', join(place, 'trap'))
  git('config', 'filter.evil.smudge', join(place, 'trap'))
  await rm(ran, { force: true })
  expect((await undo()).state).toBe('done')
  expect(existsSync(ran)).toBe(false)
})

test('a file that git stores through a filter is not put back as what is stored of it', async () => {
  await put('.gitattributes', 'a filter=lfs\n')
  git('add', '.')
  git('commit', '-qm', 'attributes')
  await recordBefore(kept, folder)
  await put('a', 'changed\n')
  await recordAfter(kept)
  expect((await undo()).blocked).toEqual([expect.objectContaining({ path: 'a' })])
})

test('a folder without a repository is put back too', async () => {
  await rm(join(folder, '.git'), { recursive: true })
  await recordBefore(kept, folder)
  await put('a', 'changed\n')
  await put('z', 'new\n')
  await rm(join(folder, 'sub/deep'))
  await recordAfter(kept)
  expect((await undo()).state).toBe('done')
  expect(await text('a')).toBe('a\n')
  expect(await text('sub/deep')).toBe('deep\n')
  expect(existsSync(join(folder, 'z'))).toBe(false)
})

test('without what was kept it is refused, with why', async () => {
  expect(await undo()).toMatchObject({ state: 'refused', message: expect.stringContaining('14 days') })
  await recordBefore(kept, folder)
  await put('a', 'changed\n')
  await recordAfter(kept)
  await rm(changesFiles(kept).git, { recursive: true })
  await expect(undo()).rejects.toThrow()
})
